import Kernel
import PostgreSQL

/// A transaction of a domain as an event, or the domain itself, tells it.
struct TransactionFact: StoredRow, Hashable {
    let domain: String
    let transaction: UInt128
    let user: ID<User>
    let type: String
    let status: String
    let amount: Money
    let fee: Money
    let counterparty: ID<User>?
    let otherDomain: String?
    let version: Int64
    let asOf: Timestamp

    /// Many rows may be about one transaction: the newest counts, and only where it is newer than what is there.
    static var mustTouchEachRow: Bool { false }

    static func store(_ rows: [TransactionFact], in schema: Schema, at: Timestamp) -> [SQL] {
        // A transaction's id is a UUIDv7: it says when the transaction was made.
        let made = rows.map { ID<User>($0.transaction).mintedAt }
        return [
            """
            insert into \(schema).transaction_facts as f (domain, transaction, user_id, type, status, asset, amount,
                fee, counterparty, other_domain, version, created_at, as_of, generation)
            select distinct on (n.domain, n.transaction) n.domain, n.transaction, n.user_id, n.type, n.status, n.asset,
                n.amount, n.fee, n.counterparty, n.other_domain, n.version, n.created_at, n.as_of,
                coalesce(p.generation, 1)
            from unnest(\(rows.map(\.domain)), \(rows.map(\.transaction)), \(rows.map(\.user)), \(rows.map(\.type)),
                \(rows.map(\.status)), \(rows.map(\.amount.asset.code)), \(rows.map(\.amount.minorUnits)),
                \(rows.map(\.fee.minorUnits)), \(rows.map(\.counterparty)), \(rows.map(\.otherDomain)),
                \(rows.map(\.version)), \(made), \(rows.map(\.asOf)))
                as n(domain, transaction, user_id, type, status, asset, amount, fee, counterparty, other_domain,
                    version, created_at, as_of)
            left join \(schema).projections p on p.domain = n.domain
            order by n.domain, n.transaction, n.version desc
            on conflict (domain, transaction) do update
            set user_id = excluded.user_id, type = excluded.type, status = excluded.status, asset = excluded.asset,
                amount = excluded.amount, fee = excluded.fee, counterparty = excluded.counterparty,
                other_domain = excluded.other_domain, version = excluded.version, created_at = excluded.created_at,
                as_of = excluded.as_of, generation = excluded.generation
            where (excluded.generation, excluded.version) > (f.generation, f.version)
            """
        ]
    }
}

extension TransactionFact {
    /// Why something is no transaction.
    struct Fault: Error, Hashable {
        let member: String
    }

    /// What a customer's own wallet sends to an address, as a type of transaction.
    static let payout = "payout"

    /// Whether an event tells of money that a customer's own wallet sends to an address.
    static func isPayout(_ payload: JSON, of aggregate: String) -> Bool {
        aggregate == "intent" && payload["kind"]?.stringValue == "transfer"
    }

    /// A transaction from the payload that the transactions of all domains share.
    init(_ payload: JSON, id: UInt128, version: Int64, at: Timestamp, domain: String) throws(Fault) {
        func text(_ name: String) throws(Fault) -> String {
            guard let text = payload[name]?.stringValue, !text.isEmpty else { throw Fault(member: name) }
            return text
        }
        guard let asset = Asset(code: try text("asset")) else { throw Fault(member: "asset") }
        func money(_ name: String) throws(Fault) -> Money {
            let written = try text(name)
            do { return try Money(wire: written, asset) } catch { throw Fault(member: name) }
        }
        guard let user = ID<User>(wire: try text("user")) else { throw Fault(member: "user") }
        guard version > 0 else { throw Fault(member: "version") }
        (self.domain, transaction, self.user) = (domain, id, user)
        // In and out are two types: their sums have nothing to do with each other.
        let direction = payload["direction"]?.stringValue.map { "_\($0)" } ?? ""
        let kind = try text("kind")
        type = payload["intent"] != nil && kind == "transfer" ? TransactionFact.payout : kind + direction
        status = try text("status")
        (amount, fee) = (try money("amount"), try money("fee"))
        guard amount.minorUnits > 0 else { throw Fault(member: "amount") }
        counterparty = payload["counterparty"]?.stringValue.flatMap { ID<User>(wire: $0) }
        otherDomain = payload["other_domain"]?.stringValue
        (self.version, asOf) = (version, at)
    }
}

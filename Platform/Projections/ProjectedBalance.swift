import Kernel
import Ledger
import PostgreSQL

/// A customer's account as an event, or the domain itself, tells it.
struct ProjectedBalance: StoredRow, Hashable {
    /// Why something is no balance.
    struct Fault: Error, Hashable {
        let member: String
    }

    let domain: String
    let account: UInt128
    let user: ID<User>
    let kind: String
    let asset: String
    let available: Int128
    let reserved: Int128
    let staked: Int128
    /// How many transfers it had, which orders its states first.
    let version: Int64
    /// Since when it is so, which orders changes of what is reserved.
    let asOf: Timestamp
    /// The place in its batch, which orders states of one instant.
    let place: Int

    /// Many rows may be about one account: the newest of them counts, and it only where it is newer than what is there.
    static var mustTouchEachRow: Bool { false }

    static func store(_ rows: [ProjectedBalance], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).user_balances as b (domain, account, user_id, kind, asset, available, reserved,
                staked, version, place, as_of, generation)
            select distinct on (n.domain, n.account) n.domain, n.account, n.user_id, n.kind, n.asset, n.available,
                n.reserved, n.staked, n.version, n.place, n.as_of, coalesce(p.generation, 1)
            from unnest(\(rows.map(\.domain)), \(rows.map(\.account)), \(rows.map(\.user)), \(rows.map(\.kind)),
                \(rows.map(\.asset)), \(rows.map(\.available)), \(rows.map(\.reserved)), \(rows.map(\.staked)),
                \(rows.map(\.version)), \(rows.map(\.place)), \(rows.map(\.asOf)))
                as n(domain, account, user_id, kind, asset, available, reserved, staked, version, place, as_of)
            left join \(schema).projections p on p.domain = n.domain
            order by n.domain, n.account, n.version desc, n.as_of desc, n.place desc
            on conflict (domain, account) do update
            set user_id = excluded.user_id, kind = excluded.kind, asset = excluded.asset,
                available = excluded.available, reserved = excluded.reserved, staked = excluded.staked,
                version = excluded.version, place = excluded.place, as_of = excluded.as_of,
                generation = excluded.generation
            where (excluded.generation, excluded.version, excluded.as_of, excluded.place)
                > (b.generation, b.version, b.as_of, b.place)
            """
        ]
    }
}

extension ProjectedBalance {
    /// The `balances` of an event's payload; none where there is no such member.
    static func read(_ payload: JSON, domain: String) throws(Fault) -> [ProjectedBalance] {
        guard let entries = payload["balances"] else { return [] }
        guard let elements = entries.elements else { throw Fault(member: "balances") }
        var balances: [ProjectedBalance] = []
        for element in elements { balances.append(try ProjectedBalance(element, domain: domain)) }
        return balances
    }

    private init(_ json: JSON, domain: String) throws(Fault) {
        func text(_ name: String) throws(Fault) -> String {
            guard let text = json[name]?.stringValue, !text.isEmpty else { throw Fault(member: name) }
            return text
        }
        func amount(_ name: String) throws(Fault) -> Int128 {
            guard let amount = Int128(try text(name)), amount.magnitude < Money.limit.magnitude else {
                throw Fault(member: name)
            }
            return amount
        }
        guard let account = ID<User>(uuid: try text("account")) else { throw Fault(member: "account") }
        guard let owner = ID<User>(uuid: try text("owner")) else { throw Fault(member: "owner") }
        guard let version = json["version"]?.integerValue, version >= 0 else { throw Fault(member: "version") }
        guard let at = Timestamp(try text("at")) else { throw Fault(member: "at") }
        (self.domain, self.account, user) = (domain, account.value, owner)
        (kind, asset) = (try text("kind"), try text("asset"))
        guard Asset(code: asset) != nil else { throw Fault(member: "asset") }
        (available, reserved) = (try amount("available"), try amount("reserved"))
        staked = json["staked"] == nil ? 0 : try amount("staked")
        guard reserved >= 0, staked >= 0 else { throw Fault(member: "reserved") }
        place = json["place"]?.integerValue ?? 0
        guard (0...BalanceSnapshot.placeOfRow).contains(place) else { throw Fault(member: "place") }
        (self.version, asOf) = (Int64(version), at)
    }
}

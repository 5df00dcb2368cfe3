import DomainKit
public import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// What operators do with a chain.
public struct ChainOperations: Sendable {
    /// Entries of one answer at most.
    public static let listMax = 500
    /// After so long a signed transaction that isn't final is stuck, in seconds.
    public static let stuckSeconds = 600.0

    /// Nil where no chain is followed that follows Ethereum's rules.
    let parts: ChainParts?
    let payments: [PaymentParts]
    let intents: Intents
    let schema: Schema
    let pool: Pool
    let ledger: Ledger

    init(_ runtime: DomainRuntime, _ parts: ChainParts?, _ payments: [PaymentParts]) {
        (self.parts, self.payments) = (parts, payments)
        (schema, pool, ledger) = (runtime.schema, runtime.pool, runtime.ledger)
        intents = Intents(schema: schema, pool: pool)
    }

    /// The chain, how far it is followed, by whom, and how far its nodes are; a node that doesn't answer says why.
    public func status() async throws -> [JSON] {
        let rows = try await pool.query(
            """
            select name, head, head_hash, head_at, holder, epoch, lease_until > clock_timestamp() as is_followed,
                (select count(*) from \(schema).intents i where i.chain = c.name
                    and state not in ('built', 'final', 'failed', 'replaced', 'expired'))
                + (select count(*) from \(schema).payments p where p.chain = c.name
                    and state not in ('built', 'final', 'failed', 'replaced', 'expired')) as open
            from \(schema).chains c order by name
            """
        )
        var nodes: [String: String] = [:]
        if let chain = parts?.chain {
            nodes[chain.name] = await Self.told { () async throws(NodeError) in try await chain.nodes.head() }
        }
        for chain in payments.map(\.chain) {
            nodes[chain.name] = await Self.told { () async throws(NodeError) in try await chain.head() }
        }
        return try rows.map { row in
            let (name, head, hash): (String, Int64?, Bytes?) = (try row["name"], try row["head"], try row["head_hash"])
            let (at, isFollowed, open): (Timestamp?, Bool, Int64) = (
                try row["head_at"], try row["is_followed"], try row["open"]
            )
            return [
                "chain": .string(name), "followed_to": head.map { .integer($0) } ?? .null,
                "hash": hash.map { .string(HexText.encode($0.array)) } ?? .null,
                "mined_at": at.map { .string($0.description) } ?? .null, "is_followed": .bool(isFollowed),
                "node": .string(nodes[name] ?? "not configured"), "open": .integer(open),
            ]
        }
    }

    /// How far a node is, or why it doesn't say.
    private static func told(_ head: () async throws(NodeError) -> Int64) async -> String {
        do throws(NodeError) {
            return String(try await head())
        } catch {
            return error.description
        }
    }

    /// Transactions of users and payouts of custody, newest first; only those that are signed and over for long if
    /// asked for.
    public func transactions(stuck: Bool, limit: Int) async throws -> [JSON] {
        let count = min(max(limit, 1), ChainOperations.listMax)
        let called = try await intents.list(stuck: stuck, limit: count).map { ($0.id.value, $0.told) }
        let paid = try await Payments(schema: schema, pool: pool).list(stuck: stuck, limit: count)
            .map { ($0.id.value, $0.told) }
        let kept = try await CustodyWithdrawals(schema: schema, pool: pool).list(stuck: stuck, limit: count)
            .map { ($0.id.value, $0.told) }
        return (called + paid + kept).sorted { $0.0 > $1.0 }.prefix(count).map(\.1)
    }

    /// Sends a transaction again as it is, at the next opportunity.
    ///
    /// - Throws: 404; 409 `intent_not_open` for one that isn't on its way.
    public func rebroadcast(_ id: String) async throws -> JSON {
        let missing = Problem(404, "not_found", "There is no such transaction.")
        guard let id = ID<Intent>(wire: id) else { throw missing }
        if let payment = try await Payments(schema: schema, pool: pool).find(id),
            let books = payments.first(where: { $0.chain.name == payment.chain })?.books
        {
            if case .broadcast = payment.state {
                let item = try await books.item(payment, .lost, because: "rebroadcast", nextAt: payment.createdAt)
                _ = try await ledger.submit(batch: [item])
            } else {
                try await hurry(payment.state, id, "payments")
            }
            return payment.told
        }
        guard let books = parts?.books, let intent = try await intents.find(id) else { throw missing }
        if case .broadcast = intent.state {
            let item = try await books.item(intent, .lost, because: "rebroadcast", nextAt: intent.createdAt)
            _ = try await ledger.submit(batch: [item])
        } else {
            try await hurry(intent.state, id, "intents")
        }
        return intent.told
    }

    /// Lets what waits to be sent be sent at the next opportunity.
    private func hurry(_ state: IntentState, _ id: ID<Intent>, _ table: SQL) async throws {
        guard state.waitsToBeSent else {
            throw Problem(409, "intent_not_open", "It is \(state.name): there is nothing to send.")
        }
        _ = try await pool.query(
            "update \(schema).\(table) set next_at = clock_timestamp() where id = \(id) and next_at is not null"
        )
    }

    /// Strategies, newest first.
    public func strategies(limit: Int) async throws -> [JSON] {
        let rows = try await pool.query(
            """
            select \(Strategy.columns) from \(schema).strategies s
            order by s.id desc limit \(min(max(limit, 1), ChainOperations.listMax))
            """
        )
        return try rows.map { try Strategy($0).json }
    }
}

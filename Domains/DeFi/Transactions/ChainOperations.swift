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

    let parts: ChainParts
    let schema: Schema
    let pool: Pool
    let ledger: Ledger
    let books: IntentBooks

    /// The chain, how far it is followed, by whom, and how far its nodes are; a node that doesn't answer says why.
    public func status() async throws -> [JSON] {
        let rows = try await pool.query(
            """
            select name, head, head_hash, head_at, holder, epoch, lease_until > clock_timestamp() as is_followed,
                (select count(*) from \(schema).intents i where i.chain = c.name
                    and state not in ('built', 'final', 'failed', 'replaced', 'expired')) as open
            from \(schema).chains c order by name
            """
        )
        let node: String
        do throws(NodeError) {
            node = String(try await parts.chain.nodes.head())
        } catch {
            node = error.description
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
                "node": .string(name == parts.chain.name ? node : "not configured"), "open": .integer(open),
            ]
        }
    }

    /// Transactions, newest first; only those that are signed and over for long if asked for.
    public func transactions(stuck: Bool, limit: Int) async throws -> [JSON] {
        let rows = try await pool.query(
            """
            select \(Intent.columns) from \(schema).intents i
            where not \(stuck) or (i.state in ('signed', 'broadcast', 'dropped', 'displaced', 'included')
                and i.updated_at < clock_timestamp() - make_interval(secs => \(ChainOperations.stuckSeconds)))
            order by i.id desc limit \(min(max(limit, 1), ChainOperations.listMax))
            """
        )
        return try rows.map { try Intent($0).told }
    }

    /// Sends a transaction again as it is, at the next opportunity.
    ///
    /// - Throws: 404; 409 `intent_not_open` for one that isn't on its way.
    public func rebroadcast(_ id: String) async throws -> JSON {
        guard let id = ID<Intent>(wire: id), let intent = try await parts.intents.find(id) else {
            throw Problem(404, "not_found", "There is no such transaction.")
        }
        if case .broadcast = intent.state {
            let item = try await books.item(intent, .lost, because: "rebroadcast", nextAt: intent.createdAt)
            _ = try await ledger.submit(batch: [item])
        } else if intent.state.waitsToBeSent {
            _ = try await pool.query(
                "update \(schema).intents set next_at = clock_timestamp() where id = \(id) and next_at is not null"
            )
        } else {
            throw Problem(409, "intent_not_open", "It is \(intent.state.name): there is nothing to send.")
        }
        return intent.told
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

import Kernel
import PostgreSQL

/// Reads strategies and what is known of offers.
struct Strategies: Sendable {
    /// Strategies of one answer at most.
    static let listMax = 200
    /// A rate older than this is not shown.
    static let rateSecondsMax: Int64 = 86_400

    let schema: Schema
    let pool: Pool

    /// What an offer yields, as of a block.
    struct KnownRate: Hashable, Sendable {
        /// Billionths a year; nil where the chain doesn't say.
        let rate: Int64?
        /// What is paid beside it; nil where nothing is.
        let reward: Int64?
        let block: BlockReference
        let at: Timestamp
    }

    /// One of a user.
    ///
    /// - Throws: 404.
    func get(_ id: ID<Strategy>, of user: ID<User>) async throws -> Strategy {
        let rows = try await pool.query(
            "select \(Strategy.columns) from \(schema).strategies s where s.id = \(id) and s.user_id = \(user)"
        )
        guard let row = rows.first else { throw Problem(404, "not_found", "There is no such strategy.") }
        return try Strategy(row)
    }

    /// One, whosever it is; nil if there is none.
    func find(_ id: ID<Strategy>) async throws -> Strategy? {
        try await pool.query("select \(Strategy.columns) from \(schema).strategies s where s.id = \(id)")
            .map(Strategy.init).first
    }

    /// A user's, newest first.
    func list(of user: ID<User>) async throws -> [Strategy] {
        try await pool.query(
            """
            select \(Strategy.columns) from \(schema).strategies s
            where s.user_id = \(user) order by s.id desc limit \(Strategies.listMax)
            """
        ).map(Strategy.init)
    }

    /// What stands for a wallet's position in an offer already; nil for none, and where each position has its number.
    func open(of wallet: ID<Wallet>, in offer: Deployment.Offer) async throws -> Strategy? {
        guard !offer.description.isPair else { return nil }
        return try await pool.query(
            """
            select \(Strategy.columns) from \(schema).strategies s
            where s.wallet = \(wallet) and s.offer = \(offer.id) and s.status <> 'stopped' and not s.is_numbered
            """
        ).map(Strategy.init).first
    }

    /// Refuses to take something out while something that goes in is on its way: until that is final, what comes out
    /// would be counted against less than went in.
    ///
    /// - Throws: 409 `strategy_filling`.
    func requireNotFilling(_ id: ID<Strategy>) async throws {
        let rows = try await pool.query(
            """
            select state in ('displaced', 'included') as is_in_block from \(schema).intents
            where strategy = \(id) and kind = 'start'
                and state in ('signed', 'broadcast', 'dropped', 'displaced', 'included')
            order by is_in_block limit 1
            """
        )
        guard let row = rows.first else { return }
        let isInBlock: Bool = try row["is_in_block"]
        throw Problem(
            409,
            "strategy_filling",
            isInBlock
                ? "What goes into it isn't final yet. Try again in a few blocks."
                : "What goes into it waits for its block, and what comes out would wait too. Speed it up or cancel it."
        )
    }

    /// A strategy's decisions, newest first.
    func decisions(of id: ID<Strategy>) async throws -> [JSON] {
        try await pool.query(
            """
            select kind, outcome, facts, intent, number, recorded_at from \(schema).decisions
            where strategy = \(id) order by id desc limit \(Strategies.listMax)
            """
        ).map { row in
            let (kind, outcome, facts): (String, String, JSON) = (
                try row["kind"], try row["outcome"], try row["facts"]
            )
            let (intent, number, at): (ID<Intent>?, Int64, Timestamp) = (
                try row["intent"], try row["number"], try row["recorded_at"]
            )
            return [
                "kind": .string(kind), "outcome": .string(outcome), "facts": facts,
                "intent": intent.map { .string($0.wire) } ?? .null, "block": .integer(number),
                "at": .string(at.description),
            ]
        }
    }

    /// The newest rate of an offer, and the block that it is of; nil before the first.
    func rate(of offer: String, on chain: String) async throws -> KnownRate? {
        let rows = try await pool.query(
            """
            select rate, reward_rate, number, hash, mined_at from \(schema).offer_rates
            where chain = \(chain) and offer = \(offer) order by mined_at desc limit 1
            """
        )
        guard let row = rows.first else { return nil }
        let (number, hash): (Int64, Bytes) = (try row["number"], try row["hash"])
        return KnownRate(
            rate: try row["rate"],
            reward: try row["reward_rate"],
            block: BlockReference(number: number, hash: hash.array),
            at: try row["mined_at"]
        )
    }
}

import Kernel
import Ledger
import PostgreSQL

/// Reads transactions that users sign: intents, or payments.
struct IntentStore<Value: UserSigned>: Sendable {
    /// Those of one answer at most, where nobody pages.
    static var listMax: Int { 500 }
    /// Those that one block is about at most; a block has some thousand transactions.
    static var blockMax: Int { 50_000 }

    let schema: Schema
    let pool: Pool
    /// What chains are followed by leaves out what can't be read; nil for who throws it.
    var unreadable: UnreadableRows?

    var table: SQL { Value.table(in: schema) }

    // MARK: For those who ask

    /// One, whosever it is; nil if there is none.
    func find(_ id: ID<Intent>) async throws -> Value? { try await find("i.id = \(id)", limit: 1).first }

    /// One of a user; nil if there is none.
    func find(_ id: ID<Intent>, of user: ID<User>) async throws -> Value? {
        try await find("i.id = \(id) and i.user_id = \(user)", limit: 1).first
    }

    /// A page of a user's, newest first.
    func list(of user: ID<User>, before: UInt128, limit: Int) async throws -> [Value] {
        try await find("i.user_id = \(user) and i.id < \(before)", limit: limit)
    }

    /// Those that operators look at, newest first.
    func list(stuck: Bool, limit: Int) async throws -> [Value] {
        try await find(
            """
            not \(stuck) or (i.state in ('signed', 'broadcast', 'dropped', 'displaced', 'included')
                and i.updated_at < clock_timestamp() - make_interval(secs => \(ChainOperations.stuckSeconds)))
            """,
            limit: limit
        )
    }

    /// The one with this id and those that are to take its place.
    func family(of root: ID<Intent>) async throws -> [Value] {
        try await find("i.id = \(root) or i.replaces = \(root)", limit: Self.listMax)
    }

    /// Whether another one of those that take each other's place isn't over.
    func isOpen(_ root: ID<Intent>, besides id: ID<Intent>) async throws -> Bool {
        let rows = try await pool.query(
            """
            select 1 from \(table)
            where (id = \(root) or replaces = \(root)) and id <> \(id)
                and state not in ('final', 'failed', 'replaced', 'expired')
            limit 1
            """
        )
        return !rows.isEmpty
    }

    // MARK: For who follows their chain

    /// Those that a block decides about, which isn't final yet, up to a block's number.
    func undecided(on chain: String, upTo number: Int64) async throws -> [Value] {
        try await readable(
            "i.chain = \(chain) and i.state in ('included', 'displaced') and i.block_number <= \(number)",
            limit: Self.blockMax
        )
    }

    /// Those that blocks of these hashes decide about.
    func decided(by hashes: [[UInt8]], on chain: String) async throws -> [Value] {
        try await readable(
            """
            i.chain = \(chain) and i.state in ('included', 'displaced')
                and i.block_hash = any(\(hashes.map(Bytes.init)))
            """,
            limit: Self.blockMax
        )
    }

    /// Those that count as final in blocks above a number.
    func settled(above number: Int64, on chain: String) async throws -> [ID<Intent>] {
        try await pool.query(
            """
            select id from \(table)
            where chain = \(chain) and state in ('final', 'failed') and block_number > \(number)
            limit \(Self.listMax)
            """
        ).map { try $0["id"] }
    }

    /// Those that were last seen on their way so many seconds ago, those that were left alone the longest first.
    func waiting(on chain: String, seconds: Double, limit: Int) async throws -> [Value] {
        try await readable(
            """
            i.chain = \(chain) and i.state = 'broadcast'
                and i.seen_at < clock_timestamp() - make_interval(secs => \(seconds))
            """,
            limit: limit,
            order: "i.seen_at, i.id",
            leftOut: looked
        )
    }

    /// Some have been looked for: others have their turn.
    func looked(at ids: [ID<Intent>]) async throws {
        guard !ids.isEmpty else { return }
        _ = try await pool.query(
            "update \(table) set seen_at = clock_timestamp() where id = any(\(ids)) and state = 'broadcast'"
        )
    }

    /// Those whose time for being signed is over: of those that take each other's place one at a time, since the last
    /// of them ends what they share.
    func unsigned(on chain: String, limit: Int) async throws -> [Value] {
        try await readable(
            """
            i.chain = \(chain) and i.state = 'built' and i.expires_at <= clock_timestamp() and not exists (
                select from \(table) o
                where coalesce(o.replaces, o.id) = coalesce(i.replaces, i.id) and o.id < i.id
                    and o.state = 'built' and o.expires_at <= clock_timestamp())
            """,
            limit: limit
        )
    }

    /// The ledger's legs of what a block posted.
    func legs(of transfers: [ID<Transfer>]) async throws -> [TransferLegs] {
        guard !transfers.isEmpty else { return [] }
        return try await pool.query(
            """
            select id, debit_account, credit_account, amount from \(schema).ledger_transfers
            where id = any(\(transfers)) order by id
            """
        ).map { row in
            TransferLegs(
                id: try row["id"],
                debit: try row["debit_account"],
                credit: try row["credit_account"],
                amount: try row["amount"]
            )
        }
    }

    // MARK: Rows

    func find(_ condition: SQL, limit: Int, order: SQL = "i.id desc") async throws -> [Value] {
        try await pool.query(rows(condition, limit: limit, order: order)).map(Value.init)
    }

    /// Those of them that can be read; the others are told to `leftOut`.
    func readable(
        _ condition: SQL,
        limit: Int,
        order: SQL = "i.id desc",
        leftOut: ([ID<Intent>]) async throws -> Void = { _ in }
    ) async throws -> [Value] {
        guard let unreadable else { return try await find(condition, limit: limit, order: order) }
        let found = try await pool.query(rows(condition, limit: limit, order: order))
        let read = try unreadable.readable(found) { try Value($0) }
        if !read.leftOut.isEmpty { try await leftOut(read.leftOut.map { ID($0) }) }
        return read.values
    }

    private func rows(_ condition: SQL, limit: Int, order: SQL) -> SQL {
        "select \(Value.columns) from \(table) i where \(condition) order by \(order) limit \(limit)"
    }
}

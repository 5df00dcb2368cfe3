import DomainKit
import Kernel
import Logging
import PostgreSQL

/// Reads deposits.
struct CustodyDeposits: Sendable {
    /// A row that no deposit is.
    struct Unreadable: Error, Sendable {
        let id: UInt128
    }

    /// Deposits that one block is about at most.
    static let blockMax = 50_000
    /// Seconds until what is held is looked at again.
    static let lookSeconds = 60.0

    let schema: Schema
    let pool: Pool
    /// What chains are followed by leaves out what can't be read; nil for who throws it.
    var unreadable: UnreadableRows?

    /// One of a user.
    ///
    /// - Throws: 404.
    func get(_ id: ID<CustodyDeposit>, of user: ID<User>) async throws -> CustodyDeposit {
        guard let deposit = try await find("d.id = \(id) and d.user_id = \(user)", limit: 1).first else {
            throw Problem(404, "not_found", "There is no such deposit.")
        }
        return deposit
    }

    /// A page of a user's, newest first.
    func list(of user: ID<User>, before: UInt128, limit: Int) async throws -> [CustodyDeposit] {
        try await find("d.user_id = \(user) and d.id < \(before)", limit: limit)
    }

    /// Those of transactions.
    func of(_ hashes: [[UInt8]], on chain: String) async throws -> [CustodyDeposit] {
        guard !hashes.isEmpty else { return [] }
        return try await readable(
            "d.chain = \(chain) and d.hash = any(\(hashes.map(Bytes.init))) and not d.is_past",
            limit: CustodyDeposits.blockMax
        )
    }

    /// Those in a block that isn't final for them yet, up to a block's number.
    func undecided(on chain: String, upTo number: Int64) async throws -> [CustodyDeposit] {
        try await readable(
            "d.chain = \(chain) and d.state = 'pending' and d.block_number <= \(number)",
            limit: CustodyDeposits.blockMax
        )
    }

    /// Those in blocks that the chain goes on without.
    func abandoned(on chain: String) async throws -> [CustodyDeposit] {
        try await readable(
            """
            d.chain = \(chain) and not d.is_past and exists (
                select 1 from \(schema).chain_blocks b
                where b.chain = d.chain and b.number = d.block_number and b.hash = d.block_hash and not b.is_canonical)
            """,
            limit: CustodyDeposits.blockMax
        )
    }

    /// Those that were in no block when last looked at, or are held, and are due for another look.
    func due(on chain: String, limit: Int) async throws -> [CustodyDeposit] {
        try await readable(
            "d.chain = \(chain) and d.look_at <= clock_timestamp()",
            limit: limit,
            leftOut: postpone
        )
    }

    /// Leaves some alone until the next look.
    func postpone(_ deposits: [ID<CustodyDeposit>]) async throws {
        guard !deposits.isEmpty else { return }
        _ = try await pool.query(
            """
            update \(schema).custody_deposits
            set look_at = clock_timestamp() + make_interval(secs => \(CustodyDeposits.lookSeconds))
            where id = any(\(deposits)) and look_at is not null
            """
        )
    }

    /// Who has proven the wallets of senders, by sender; all of them, where several paid together.
    func owners(of senders: [String], on chain: String) async throws -> [String: ID<User>] {
        let parts = Dictionary(senders.map { ($0, CustodyDeposit.senders($0)) }) { first, _ in first }
        let accounts = Set(parts.values.joined()).map { "\(chain):\($0)" }
        guard !accounts.isEmpty else { return [:] }
        let rows = try await pool.query(
            """
            select address, user_id from \(schema).wallets
            where account = any(\(accounts)) and status = 'verified'
            """
        )
        var owners: [String: ID<User>] = [:]
        for row in rows { owners[try row["address"]] = try row["user_id"] }
        return parts.compactMapValues { addresses in
            let all = Set(addresses.map { owners[$0] })
            return all.count == 1 ? all.first ?? nil : nil
        }
    }

    /// Deposits of customers in the order of their ids, after one of them.
    func export(after id: UInt128, limit: Int) async throws -> [CustodyDeposit] {
        try await find("d.id > \(id) and d.user_id is not null", limit: limit, order: "d.id")
    }

    /// What is final and credited to nobody, on whatever chain, the newest first.
    func held(limit: Int) async throws -> [CustodyDeposit] {
        try await readable("d.state = 'held' and not d.is_past", limit: min(max(limit, 1), CustodyFaults.listMax))
    }

    private func find(_ condition: SQL, limit: Int, order: SQL = "d.id desc") async throws -> [CustodyDeposit] {
        try await pool.query(rows(condition, limit: limit, order: order)).map(CustodyDeposit.init)
    }

    /// Those of them that can be read; the others are told to `leftOut`.
    private func readable(
        _ condition: SQL,
        limit: Int,
        leftOut: ([ID<CustodyDeposit>]) async throws -> Void = { _ in }
    ) async throws -> [CustodyDeposit] {
        guard let unreadable else { return try await find(condition, limit: limit) }
        let found = try await pool.query(rows(condition, limit: limit, order: "d.id desc"))
        let read = try unreadable.readable(found) { try CustodyDeposit($0) }
        if !read.leftOut.isEmpty { try await leftOut(read.leftOut.map { ID($0) }) }
        return read.values
    }

    private func rows(_ condition: SQL, limit: Int, order: SQL) -> SQL {
        """
        select \(CustodyDeposit.columns) from \(schema).custody_deposits d
        left join \(schema).chains c on c.name = d.chain
        where \(condition) order by \(order) limit \(limit)
        """
    }
}

extension CustodyDeposit {
    fileprivate static let columns: SQL = """
        d.id, d.user_id, d.chain, d.hash, d.place, d.sender, d.asset, d.amount, d.required, d.state, d.hold,
        d.block_number, d.block_hash, d.told, d.version, d.created_at, d.updated_at, c.head
        """

    fileprivate init(_ row: Row) throws {
        let id: ID<CustodyDeposit> = try row["id"]
        let (code, sender, hash): (String, String, Bytes) = (try row["asset"], try row["sender"], try row["hash"])
        guard let asset = Asset(code: code), let state = try Self.state(row)
        else { throw CustodyDeposits.Unreadable(id: id.value) }
        self.init(
            (hash.array, try row["place"], sender, Money(minorUnits: try row["amount"], asset)),
            id: id,
            chain: try row["chain"],
            user: try row["user_id"],
            required: try row["required"],
            state: state,
            counts: (try row["told"], try row["version"]),
            times: (try row["created_at"], try row["updated_at"]),
            head: try row["head"]
        )
    }

    private static func state(_ row: Row) throws -> State? {
        let (name, hold): (String, String?) = (try row["state"], try row["hold"])
        let (number, hash): (Int64?, Bytes?) = (try row["block_number"], try row["block_hash"])
        let block = number.flatMap { number in hash.map { BlockReference(number: number, hash: $0.array) } }
        switch name {
        case "pending": return .pending(block)
        case "held":
            guard let block, let hold = hold.flatMap(Hold.init(rawValue:)) else { return nil }
            return .held(block, hold)
        case "confirmed": return block.map { .confirmed($0) }
        case "lost": return .lost
        default: return nil
        }
    }
}

extension CustodyDeposits {
    /// What a chain is followed by: what can't be read is left out.
    init(_ runtime: DomainRuntime, on chain: String, logger: Logger) {
        self.init(
            schema: runtime.schema,
            pool: runtime.pool,
            unreadable: UnreadableRows("deposit", on: chain, logger: logger)
        )
    }
}

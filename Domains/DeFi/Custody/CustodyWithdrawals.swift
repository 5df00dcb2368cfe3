import DomainKit
import Fees
import Kernel
import Ledger
import Logging
import PostgreSQL

/// Reads withdrawals.
struct CustodyWithdrawals: Sendable {
    /// A row that no withdrawal is.
    struct Unreadable: Error, Sendable {
        let id: UInt128
    }

    /// Withdrawals that one block is about at most.
    static let blockMax = 50_000

    let schema: Schema
    let pool: Pool
    /// What chains are followed by leaves out what can't be read; nil for who throws it.
    var unreadable: UnreadableRows?

    /// One of a user.
    ///
    /// - Throws: 404.
    func get(_ id: ID<CustodyWithdrawal>, of user: ID<User>) async throws -> CustodyWithdrawal {
        guard let found = try await find("w.id = \(id) and w.user_id = \(user)", limit: 1).first else {
            throw Problem(404, "not_found", "There is no such withdrawal.")
        }
        return found
    }

    /// One, whosever it is; nil if there is none.
    func find(_ id: ID<CustodyWithdrawal>) async throws -> CustodyWithdrawal? {
        try await find("w.id = \(id)", limit: 1).first
    }

    /// A page of a user's, newest first.
    func list(of user: ID<User>, before: UInt128, limit: Int) async throws -> [CustodyWithdrawal] {
        try await find("w.user_id = \(user) and w.id < \(before)", limit: limit)
    }

    /// Those that were signed as transactions of these hashes, with what each was signed as; nil for one that can't be
    /// read.
    func of(
        _ hashes: [[UInt8]],
        on chain: String
    ) async throws -> [(attempt: CustodyWithdrawal.Signed, withdrawal: CustodyWithdrawal?)] {
        let rows = try await pool.query(
            """
            select a.withdrawal, a.raw, a.hash, a.nonce, a.details from \(schema).custody_attempts a
            join \(schema).custody_withdrawals w on w.id = a.withdrawal
            where a.hash = any(\(hashes.map(Bytes.init))) and w.chain = \(chain) and not w.is_past
            limit \(CustodyWithdrawals.blockMax)
            """
        )
        let attempts = try rows.map { row -> (of: ID<CustodyWithdrawal>, signed: CustodyWithdrawal.Signed) in
            (try row["withdrawal"], try Self.attempt(row))
        }
        guard !attempts.isEmpty else { return [] }
        let found = try await readable("w.id = any(\(attempts.map(\.of)))", limit: CustodyWithdrawals.blockMax)
        return attempts.map { attempt in (attempt.signed, found.first { $0.id == attempt.of }) }
    }

    /// What a withdrawal was signed as under its nonce, the newest first; and whether that one has waited for so long.
    func attempts(
        of withdrawal: CustodyWithdrawal,
        stuckSeconds: Double
    ) async throws -> (signed: [CustodyWithdrawal.Signed], isStuck: Bool) {
        guard let signed = withdrawal.state.signature else { return ([], false) }
        let (hash, nonce) = (Bytes(signed.hash), signed.nonce.map { Int64(clamping: $0) })
        let rows = try await pool.query(
            """
            select raw, hash, nonce, details,
                signed_at < clock_timestamp() - make_interval(secs => \(stuckSeconds)) as is_stuck
            from \(schema).custody_attempts
            where withdrawal = \(withdrawal.id) and (nonce = \(nonce) or hash = \(hash))
            order by signed_at desc limit \(CustodySender.attemptsMax)
            """
        )
        return (try rows.map(Self.attempt), try rows.first?["is_stuck"] ?? false)
    }

    private static func attempt(_ row: Row) throws -> CustodyWithdrawal.Signed {
        let (raw, hash): (Bytes, Bytes) = (try row["raw"], try row["hash"])
        let (nonce, details): (Int64?, JSON?) = (try row["nonce"], try row["details"])
        return CustodyWithdrawal.Signed(
            raw: raw.array,
            hash: hash.array,
            nonce: nonce.map { UInt64($0) },
            details: details ?? .null
        )
    }

    /// Those in a block that isn't final for them yet, up to a block's number.
    func undecided(on chain: String, upTo number: Int64) async throws -> [CustodyWithdrawal] {
        try await readable(
            "w.chain = \(chain) and w.state = 'included' and w.block_number <= \(number)",
            limit: CustodyWithdrawals.blockMax
        )
    }

    /// Those in blocks that the chain goes on without.
    func abandoned(on chain: String) async throws -> [CustodyWithdrawal] {
        try await readable(
            """
            w.chain = \(chain) and not w.is_past and exists (
                select 1 from \(schema).chain_blocks b
                where b.chain = w.chain and b.number = w.block_number and b.hash = w.block_hash and not b.is_canonical)
            """,
            limit: CustodyWithdrawals.blockMax
        )
    }

    /// Those with a transaction that isn't final.
    func underWay(on chain: String) async throws -> [CustodyWithdrawal] {
        try await readable(
            "w.chain = \(chain) and w.state in ('signed', 'included')",
            limit: CustodyWithdrawals.blockMax
        )
    }

    /// The nonce behind the highest that a payout has; nil where none has one.
    ///
    /// Final ones count, too: the chain may go on without their blocks, and then they are sent again.
    func nextNonce(on chain: String) async throws -> UInt64? {
        let rows = try await pool.query(
            """
            select max(nonce) + 1 from \(schema).custody_withdrawals
            where chain = \(chain) and not is_past
            """
        )
        let next: Int64? = try rows[0][0]
        return next.map { UInt64($0) }
    }

    /// Those of some coins of the custodian's that payouts were signed for.
    func used(_ items: [String], on chain: String) async throws -> Set<String> {
        guard !items.isEmpty else { return [] }
        let rows = try await pool.query(
            "select item from \(schema).custody_inputs where chain = \(chain) and item = any(\(items))"
        )
        return try Set(rows.map { try $0["item"] })
    }

    /// What a withdrawal was promised to cost, by where it goes.
    func fees(of withdrawal: CustodyWithdrawal) async throws -> [(category: FeeCategory, amount: Int128)] {
        try await pool.query(
            """
            select category, amount from \(schema).transaction_fees
            where transaction = \(withdrawal.id) and amount > 0 order by place
            """
        ).map { row in
            let name: String = try row["category"]
            guard let category = FeeCategory(rawValue: name) else { throw Unreadable(id: withdrawal.id.value) }
            return (category, try row["amount"])
        }
    }

    /// Payouts that operators look at, on whatever chain, newest first; only those that no block has taken since they
    /// were signed first, or no block made final, for long if asked for.
    func list(stuck: Bool, limit: Int) async throws -> [CustodyWithdrawal] {
        let seconds = ChainOperations.stuckSeconds
        return try await readable(
            """
            not \(stuck)
                or (w.state = 'signed' and exists (
                    select from \(schema).custody_attempts a where a.withdrawal = w.id
                        and a.signed_at < clock_timestamp() - make_interval(secs => \(seconds))))
                or (w.state = 'included'
                    and w.updated_at < clock_timestamp() - make_interval(secs => \(seconds)))
            """,
            limit: limit
        )
    }

    /// Withdrawals in the order of their ids, after one of them.
    func export(after id: UInt128, limit: Int) async throws -> [CustodyWithdrawal] {
        try await find("w.id > \(id)", limit: limit, order: "w.id")
    }

    private func find(_ condition: SQL, limit: Int, order: SQL = "w.id desc") async throws -> [CustodyWithdrawal] {
        try await pool.query(rows(condition, limit: limit, order: order)).map(CustodyWithdrawal.init)
    }

    /// Those of them that can be read.
    private func readable(_ condition: SQL, limit: Int) async throws -> [CustodyWithdrawal] {
        guard let unreadable else { return try await find(condition, limit: limit) }
        let found = try await pool.query(rows(condition, limit: limit, order: "w.id desc"))
        return try unreadable.readable(found) { try CustodyWithdrawal($0) }.values
    }

    private func rows(_ condition: SQL, limit: Int, order: SQL) -> SQL {
        """
        select \(CustodyWithdrawal.columns) from \(schema).custody_withdrawals w
        left join \(schema).chains c on c.name = w.chain
        where \(condition) order by \(order) limit \(limit)
        """
    }
}

extension CustodyWithdrawal {
    fileprivate static let columns: SQL = """
        w.id, w.user_id, w.chain, w.recipient, w.asset, w.amount, w.fee, w.required, w.reservation, w.state, w.reason,
        w.nonce, w.raw, w.hash, w.details, w.block_number, w.block_hash, w.succeeded, w.gas_cost, w.version,
        w.created_at, w.updated_at, c.head
        """

    fileprivate init(_ row: Row) throws {
        let id: ID<CustodyWithdrawal> = try row["id"]
        let (code, recipient): (String, String) = (try row["asset"], try row["recipient"])
        guard let asset = Asset(code: code), let state = try Self.state(row) else {
            throw CustodyWithdrawals.Unreadable(id: id.value)
        }
        let order = Order(
            user: try row["user_id"],
            recipient: recipient,
            amount: Money(minorUnits: try row["amount"], asset),
            fee: Money(minorUnits: try row["fee"], asset),
            reservation: try row["reservation"]
        )
        self.init(
            order,
            id: id,
            chain: try row["chain"],
            required: try row["required"],
            state: state,
            reason: try row["reason"],
            version: try row["version"],
            times: (try row["created_at"], try row["updated_at"]),
            head: try row["head"]
        )
    }

    private static func state(_ row: Row) throws -> State? {
        let name: String = try row["state"]
        let (raw, hash, nonce): (Bytes?, Bytes?, Int64?) = (try row["raw"], try row["hash"], try row["nonce"])
        var signed: Signed?
        if let raw, let hash {
            let details: JSON? = try row["details"]
            signed = Signed(
                raw: raw.array,
                hash: hash.array,
                nonce: nonce.map { UInt64($0) },
                details: details ?? .null
            )
        }
        let (number, block): (Int64?, Bytes?) = (try row["block_number"], try row["block_hash"])
        let (succeeded, gasCost): (Bool?, Int128?) = (try row["succeeded"], try row["gas_cost"])
        var inclusion: Inclusion?
        if let number, let block, let succeeded, let gasCost {
            inclusion = Inclusion(
                block: BlockReference(number: number, hash: block.array),
                succeeded: succeeded,
                gasCost: gasCost
            )
        }
        switch (name, signed, inclusion) {
        case ("waiting", nil, nil): return .waiting
        case ("signed", let signed?, nil): return .signed(signed)
        case ("included", let signed?, let inclusion?): return .included(signed, inclusion)
        case ("confirmed", let signed?, let inclusion?): return .confirmed(signed, inclusion)
        case ("failed", _, _): return .failed(signed, inclusion)
        case ("cancelled", nil, nil): return .cancelled
        default: return nil
        }
    }
}

extension CustodyWithdrawals {
    /// What a chain is followed by: what can't be read is left out.
    init(_ runtime: DomainRuntime, on chain: String, logger: Logger) {
        self.init(
            schema: runtime.schema,
            pool: runtime.pool,
            unreadable: UnreadableRows("withdrawal", on: chain, logger: logger)
        )
    }
}

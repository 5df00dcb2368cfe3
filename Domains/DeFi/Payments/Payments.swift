import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// Reads payments.
struct Payments: Sendable {
    let schema: Schema
    let pool: Pool
    /// What chains are followed by leaves out what can't be read; nil for who throws it.
    var unreadable: UnreadableRows?

    /// One of a user; nil if there is none.
    func get(_ id: ID<Intent>, of user: ID<User>) async throws -> Payment? {
        try await find("i.id = \(id) and i.user_id = \(user)", limit: 1).first
    }

    /// One, whosever it is; nil if there is none.
    func find(_ id: ID<Intent>) async throws -> Payment? { try await find("i.id = \(id)", limit: 1).first }

    /// A page of a user's, newest first.
    func list(of user: ID<User>, before: UInt128, limit: Int) async throws -> [Payment] {
        try await find("i.user_id = \(user) and i.id < \(before)", limit: limit)
    }

    /// The one with this id and those that are to take its place.
    func family(of root: ID<Intent>) async throws -> [Payment] {
        try await find("i.id = \(root) or i.replaces = \(root)", limit: Intents.listMax)
    }

    /// Whether another one of those that take each other's place isn't over.
    func isOpen(_ root: ID<Intent>, besides payment: ID<Intent>) async throws -> Bool {
        let rows = try await pool.query(
            """
            select 1 from \(schema).payments
            where (id = \(root) or replaces = \(root)) and id <> \(payment)
                and state not in ('final', 'failed', 'replaced', 'expired')
            limit 1
            """
        )
        return !rows.isEmpty
    }

    /// Those on their way that a block is about: it has them, it has something else that uses what they use, or it
    /// comes after the last one that may have them.
    func open(on chain: String, in block: PaymentBlock) async throws -> [Payment] {
        let (hashes, spent) = (block.entries.map { Bytes($0.id) }, block.entries.flatMap(\.spends))
        return try await readable(
            """
            i.chain = \(chain) and i.state in ('signed', 'broadcast', 'dropped') and (
                i.hash = any(\(hashes)) or i.last_block < \(block.number)
                or coalesce(i.replaces, i.id) in (
                    select payment from \(schema).payment_inputs where chain = \(chain) and item = any(\(spent))))
            """,
            limit: Intents.blockMax
        )
    }

    /// Those that a block decides about, which isn't final yet, up to a block's number.
    func undecided(on chain: String, upTo number: Int64) async throws -> [Payment] {
        try await readable(
            "i.chain = \(chain) and i.state in ('included', 'displaced') and i.block_number <= \(number)",
            limit: Intents.blockMax
        )
    }

    /// Those that blocks of these hashes decide about.
    func decided(by hashes: [[UInt8]], on chain: String) async throws -> [Payment] {
        try await readable(
            """
            i.chain = \(chain) and i.state in ('included', 'displaced')
                and i.block_hash = any(\(hashes.map(Bytes.init)))
            """,
            limit: Intents.blockMax
        )
    }

    /// Those that count as final in blocks above a number.
    func settled(above number: Int64, on chain: String) async throws -> [ID<Intent>] {
        try await pool.query(
            """
            select id from \(schema).payments
            where chain = \(chain) and state in ('final', 'failed') and block_number > \(number)
            limit \(Intents.listMax)
            """
        ).map { try $0["id"] }
    }

    /// Those that were last seen on their way so many seconds ago, those that were left alone the longest first.
    func waiting(on chain: String, seconds: Double, limit: Int) async throws -> [Payment] {
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
            """
            update \(schema).payments set seen_at = clock_timestamp()
            where id = any(\(ids)) and state = 'broadcast'
            """
        )
    }

    /// Those whose time for being signed is over: of those that take each other's place one at a time, since the last
    /// of them ends what they share.
    func unsigned(on chain: String, limit: Int) async throws -> [Payment] {
        try await readable(
            """
            i.chain = \(chain) and i.state = 'built' and i.expires_at <= clock_timestamp() and not exists (
                select from \(schema).payments o
                where coalesce(o.replaces, o.id) = coalesce(i.replaces, i.id) and o.id < i.id
                    and o.state = 'built' and o.expires_at <= clock_timestamp())
            """,
            limit: limit
        )
    }

    /// What a wallet's open payments need, but for one and those that it takes the place of.
    func holds(of address: String, on chain: String, besides root: ID<Intent>? = nil) async throws -> PaymentHolds {
        let rows = try await pool.query(
            """
            select asset, amount, fee_max, inputs, state in ('displaced', 'included') as is_in_block
            from \(schema).payments
            where chain = \(chain) and address = \(address)
                and state in ('built', 'signed', 'broadcast', 'dropped', 'displaced', 'included')
                and coalesce(replaces, id) is distinct from \(root)
            limit \(Intents.listMax)
            """
        )
        var holds = PaymentHolds()
        let coin = ChainID(chain)?.chain?.coin
        for row in rows {
            let (code, amount, fee): (String, Int128, Int128) = (
                try row["asset"], try row["amount"], try row["fee_max"]
            )
            let (inputs, isInBlock): ([String], Bool) = (try row["inputs"], try row["is_in_block"])
            holds.inputs.formUnion(inputs)
            // What a block took is no more in what the wallet has.
            if isInBlock { continue }
            if let asset = Asset(code: code) { holds.amounts[asset, default: 0] += amount }
            if let coin { holds.amounts[coin, default: 0] += fee }
        }
        return holds
    }

    /// Payments that operators look at, newest first.
    func list(stuck: Bool, limit: Int) async throws -> [Payment] {
        try await find(
            """
            not \(stuck) or (i.state in ('signed', 'broadcast', 'dropped', 'displaced', 'included')
                and i.updated_at < clock_timestamp() - make_interval(secs => \(ChainOperations.stuckSeconds)))
            """,
            limit: limit
        )
    }

    private func find(_ condition: SQL, limit: Int, order: SQL = "i.id desc") async throws -> [Payment] {
        try await pool.query(rows(condition, limit: limit, order: order)).map(Payment.init)
    }

    /// Those of them that can be read; the others are told to `leftOut`.
    private func readable(
        _ condition: SQL,
        limit: Int,
        order: SQL = "i.id desc",
        leftOut: ([ID<Intent>]) async throws -> Void = { _ in }
    ) async throws -> [Payment] {
        guard let unreadable else { return try await find(condition, limit: limit, order: order) }
        let found = try await pool.query(rows(condition, limit: limit, order: order))
        let read = try unreadable.readable(found) { try Payment($0) }
        if !read.leftOut.isEmpty { try await leftOut(read.leftOut.map { ID($0) }) }
        return read.values
    }

    private func rows(_ condition: SQL, limit: Int, order: SQL) -> SQL {
        "select \(Payment.columns) from \(schema).payments i where \(condition) order by \(order) limit \(limit)"
    }
}

extension Payment {
    static let columns: SQL = """
        i.id, i.user_id, i.wallet, i.chain, i.address, i.kind, i.replaces, i.recipient, i.asset, i.amount, i.unsigned,
        i.inputs, i.fee, i.fee_max, i.last_block, i.details, i.summary, i.raw, i.hash, i.state, i.reason,
        i.block_number, i.block_hash, i.succeeded, i.fee_paid, i.transfers, i.version, i.created_at, i.expires_at
        """

    init(_ row: Row) throws {
        let id: ID<Intent> = try row["id"]
        let (code, kind): (String, String) = (try row["asset"], try row["kind"])
        guard let asset = Asset(code: code), let kind = Intent.Kind(rawValue: kind),
            let state = try Self.state(row)
        else { throw Intents.Unreadable(id: id.value) }
        let draft = Draft(
            wallet: PayingWallet(id: try row["wallet"], user: try row["user_id"], address: try row["address"]),
            chain: try row["chain"],
            kind: kind,
            replaces: try row["replaces"],
            recipient: try row["recipient"],
            amount: Money(minorUnits: try row["amount"], asset),
            unsigned: UnsignedPayment(
                text: try row["unsigned"],
                inputs: try row["inputs"],
                fee: try row["fee"],
                feeMax: try row["fee_max"],
                lastBlock: try row["last_block"],
                details: try row["details"]
            ),
            summary: try row["summary"]
        )
        let (raw, hash): (Bytes?, Bytes?) = (try row["raw"], try row["hash"])
        self.init(
            draft,
            id: id,
            times: (try row["created_at"], try row["expires_at"]),
            signed: raw.flatMap { raw in hash.map { SignedPayment(raw: raw.array, id: $0.array) } },
            state: state,
            reason: try row["reason"],
            transfers: try row["transfers"],
            version: try row["version"]
        )
    }

    private static func state(_ row: Row) throws -> IntentState? {
        let (number, hash): (Int64?, Bytes?) = (try row["block_number"], try row["block_hash"])
        let (succeeded, fee): (Bool?, Int128?) = (try row["succeeded"], try row["fee_paid"])
        let block = number.flatMap { number in hash.map { BlockReference(number: number, hash: $0.array) } }
        var inclusion: IntentState.Inclusion?
        if let block, let succeeded, let fee {
            inclusion = .init(block: block, succeeded: succeeded, gasCost: fee, received: 0)
        }
        return IntentState(try row["state"], block, inclusion)
    }
}

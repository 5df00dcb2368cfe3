import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

typealias Payments = IntentStore<Payment>

extension IntentStore where Value == Payment {
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
            limit: Self.blockMax
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
            limit \(Self.listMax)
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
}

extension Payment: UserSigned {
    static func table(in schema: Schema) -> SQL { "\(schema).payments" }

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
        else { throw UnreadableIntent(id: id.value) }
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
        self.init(
            draft,
            id: id,
            times: (try row["created_at"], try row["expires_at"]),
            progress: try IntentProgress(row, state)
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

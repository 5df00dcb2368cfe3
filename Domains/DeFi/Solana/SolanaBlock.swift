import Kernel
import WalletCrypto

/// A block of Solana, as `getBlock` tells it with the accounts of its transactions alone.
struct SolanaBlock: Hashable, Sendable {
    /// How much of it is asked for.
    enum Details: String, Sendable {
        /// Itself alone.
        case none
        /// What each transaction made of its accounts.
        case accounts
    }

    /// What a transaction moved.
    struct Entry: Hashable, Sendable {
        let signature: [UInt8]
        let succeeded: Bool
        /// Lamports.
        let fee: Int128
        /// By account, more or less lamports.
        let lamports: [SolanaAddress: Int128]
        /// By owner and mint, more or less units.
        let units: [SolanaAddress: [SolanaAddress: Int128]]
    }

    /// What votes call, which are most of a block.
    private static let voteProgram = "Vote111111111111111111111111111111111111111"

    let reference: BlockReference
    let parentHash: [UInt8]
    /// Nil where the node doesn't say: `getBlock` has null for a block whose time isn't available.
    let timestamp: Timestamp?
    let entries: [Entry]

    init(_ json: JSON, slot: Int64, _ details: Details) throws(NodeError) {
        reference = BlockReference(number: slot, hash: try SolanaNode.hash(json["blockhash"], "blockhash"))
        parentHash = try SolanaNode.hash(json["previousBlockhash"], "previous blockhash")
        timestamp =
            json["blockTime"] == .null
            ? nil : Timestamp(seconds: try SolanaNode.counter(json["blockTime"], "block time"))
        var entries: [Entry] = []
        if details == .accounts {
            guard let transactions = json["transactions"]?.elements else { throw .malformed("transactions") }
            for transaction in transactions {
                if let entry = try Self.entry(transaction) { entries.append(entry) }
            }
        }
        self.entries = entries
    }

    /// A transaction; nil for a vote that moved nothing but its own fee.
    private static func entry(_ json: JSON) throws(NodeError) -> Entry? {
        guard let keys = json["transaction"]?["accountKeys"]?.elements, let meta = json["meta"] else {
            throw .malformed("transaction")
        }
        let names = keys.map { $0["pubkey"]?.stringValue ?? "" }
        if names.contains(voteProgram), try movesOnlyItsFee(meta) { return nil }
        guard
            let signature = json["transaction"]?["signatures"]?.elements?.first?.stringValue.flatMap(Base58.decode),
            signature.count == 64
        else { throw .malformed("signature") }
        guard let fault = meta["err"] else { throw .malformed("outcome") }
        var accounts: [SolanaAddress] = []
        for name in names {
            guard let account = SolanaAddress(name) else { throw .malformed("account") }
            accounts.append(account)
        }
        return Entry(
            signature: signature,
            succeeded: fault == .null,
            fee: Int128(try SolanaNode.integer(meta["fee"], "fee")),
            lamports: try lamports(meta, accounts),
            units: try units(meta)
        )
    }

    /// Whether nothing changed but what the first account, which pays, has: anybody may name the vote's program beside
    /// what they move, and what voted may be drawn from.
    private static func movesOnlyItsFee(_ meta: JSON) throws(NodeError) -> Bool {
        guard let before = meta["preBalances"]?.elements, let after = meta["postBalances"]?.elements,
            let first = before.first, let last = after.first, before.dropFirst() == after.dropFirst(),
            meta["preTokenBalances"]?.elements ?? [] == meta["postTokenBalances"]?.elements ?? []
        else { return false }
        let paid = Int128(try SolanaNode.integer(first, "balance")) - Int128(try SolanaNode.integer(last, "balance"))
        return paid == Int128(try SolanaNode.integer(meta["fee"], "fee"))
    }

    private static func lamports(
        _ meta: JSON,
        _ accounts: [SolanaAddress]
    ) throws(NodeError) -> [SolanaAddress: Int128] {
        guard let before = meta["preBalances"]?.elements, let after = meta["postBalances"]?.elements,
            before.count == accounts.count, after.count == accounts.count
        else { throw .malformed("balances") }
        var moved: [SolanaAddress: Int128] = [:]
        for (place, account) in accounts.enumerated() {
            let change =
                Int128(try SolanaNode.integer(after[place], "balance"))
                - Int128(try SolanaNode.integer(before[place], "balance"))
            if change != 0 { moved[account, default: 0] += change }
        }
        return moved
    }

    private static func units(_ meta: JSON) throws(NodeError) -> [SolanaAddress: [SolanaAddress: Int128]] {
        var moved: [SolanaAddress: [SolanaAddress: Int128]] = [:]
        for (name, sign) in [("preTokenBalances", Int128(-1)), ("postTokenBalances", 1)] {
            // Very old blocks have none.
            let balances = meta[name] ?? .null
            guard balances == .null || balances.elements != nil else { throw .malformed("token balances") }
            for balance in balances.elements ?? [] {
                // Very old blocks don't say who owns what; then nothing is known of it.
                guard let name = balance["owner"], name != .null else { continue }
                guard let owner = name.stringValue.flatMap({ SolanaAddress($0) }) else { throw .malformed("owner") }
                guard let mint = balance["mint"]?.stringValue.flatMap({ SolanaAddress($0) }) else {
                    throw .malformed("mint")
                }
                let units = try SolanaNode.units(balance["uiTokenAmount"]?["amount"])
                moved[owner, default: [:]][mint, default: 0] += sign * units
            }
        }
        return moved
    }
}

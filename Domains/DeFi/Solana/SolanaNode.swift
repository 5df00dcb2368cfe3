import Cryptography
import Kernel
import WalletCrypto

/// One node of Solana, asked over JSON-RPC.
struct SolanaNode: Sendable {
    /// How sure the cluster is of what is said.
    enum Commitment: String, Sendable {
        /// Two thirds of the stake have voted for it.
        case confirmed
        /// As many have voted for so much on top of it that it stays.
        case finalized
    }

    /// What the cluster takes transactions by.
    struct Blockhash: Hashable, Sendable {
        /// 32 bytes.
        let hash: [UInt8]
        /// The slot that it was asked in.
        let slot: Int64
        /// The last block, counted without skipped slots, that may have a transaction with it.
        let lastHeight: Int64
    }

    /// What owners have.
    struct Holdings: Hashable, Sendable {
        /// The slot that all of it is as of, or a later one.
        let slot: Int64
        /// Lamports by owner.
        let lamports: [SolanaAddress: Int128]
        /// Units by owner and mint, over all of an owner's accounts for it.
        let units: [SolanaAddress: [SolanaAddress: Int128]]
    }

    /// An account, as far as payments are about it.
    struct Account: Hashable, Sendable {
        let lamports: Int128
        /// Of the token that it is for; 0 for an account of another kind, and for one that is frozen.
        let units: Int128
    }

    /// Where a transaction is.
    struct Standing: Hashable, Sendable {
        let slot: Int64
        let succeeded: Bool
        let isFinal: Bool
    }

    // SPL Token's account: mint, owner, amount of 8 bytes, delegate, state: 1 for one that is open (spl-token,
    // state.rs).
    private static let (tokenAccountBytes, amountPlace, statePlace) = (165, 64, 108)
    // The codes of a slot that has no block, and of one that no block is known of (yet).
    private static let skipped: Set<Int> = [-32_007, -32_009]
    private static let unknown: Set<Int> = [-32_004, -32_001, -32_014]
    /// Token accounts of an owner for one mint that are added up at most.
    private static let accountsMax = 1_000

    let rpc: JSONRPC

    /// The first 32 characters of the genesis block's hash, as CAIP-2 names a cluster by.
    func genesis() async throws(NodeError) -> String {
        guard let text = try await rpc.call("getGenesisHash").stringValue else { throw .malformed("genesis") }
        return String(text.prefix(32))
    }

    /// The newest slot that has a block.
    func slot(_ commitment: Commitment) async throws(NodeError) -> Int64 {
        try Self.counter(try await rpc.call("getSlot", Self.at(commitment)), "slot")
    }

    /// How many blocks there are below the newest one.
    func height(_ commitment: Commitment) async throws(NodeError) -> Int64 {
        try Self.counter(try await rpc.call("getBlockHeight", Self.at(commitment)), "height")
    }

    /// The first final slot after another one that has a block; nil where there is none yet.
    func slot(after slot: Int64) async throws(NodeError) -> Int64? {
        let answer = try await rpc.call(
            "getBlocksWithLimit",
            .integer(slot + 1),
            .integer(1),
            Self.at(.finalized)
        )
        guard let slots = answer.elements, slots.count <= 1 else { throw .malformed("slots") }
        guard let first = slots.first else { return nil }
        let next = try Self.counter(first, "slot")
        guard next > slot else { throw .malformed("a slot before") }
        return next
    }

    /// A final block with what its transactions moved; nil where the slot has none.
    func block(_ slot: Int64, details: SolanaBlock.Details) async throws(NodeError) -> SolanaBlock? {
        let options: JSON = [
            "commitment": .string(Commitment.finalized.rawValue), "encoding": "json", "rewards": false,
            "transactionDetails": .string(details.rawValue), "maxSupportedTransactionVersion": .integer(0),
        ]
        do throws(NodeError) {
            let json = try await rpc.call("getBlock", .integer(slot), options)
            return json == .null ? nil : try SolanaBlock(json, slot: slot, details)
        } catch {
            guard case .refused(let code, _) = error, Self.skipped.union(Self.unknown).contains(code) else {
                throw error
            }
            return nil
        }
    }

    /// What new transactions are to name.
    func latestBlockhash() async throws(NodeError) -> Blockhash {
        let json = try await rpc.call("getLatestBlockhash", Self.at(.confirmed))
        return Blockhash(
            hash: try Self.hash(json["value"]?["blockhash"], "blockhash"),
            slot: try Self.counter(json["context"]?["slot"], "slot"),
            lastHeight: try Self.counter(json["value"]?["lastValidBlockHeight"], "height")
        )
    }

    /// What owners have of the coin and of tokens in final slots.
    func holdings(of owners: [SolanaAddress], mints: [SolanaAddress]) async throws(NodeError) -> Holdings {
        var calls: [JSONRPC.Call] = []
        for owner in owners {
            calls.append(JSONRPC.Call("getBalance", .string(owner.description), Self.at(.finalized)))
            for mint in mints {
                calls.append(
                    JSONRPC.Call(
                        "getTokenAccountsByOwner",
                        .string(owner.description),
                        ["mint": .string(mint.description)],
                        ["commitment": .string(Commitment.finalized.rawValue), "encoding": "jsonParsed"]
                    )
                )
            }
        }
        var answers = try await rpc.calls(calls)[...]
        var (slots, lamports): (Set<Int64>, [SolanaAddress: Int128]) = ([], [:])
        var units: [SolanaAddress: [SolanaAddress: Int128]] = [:]
        for owner in owners {
            let balance = try Self.value(answers.popFirst() ?? nil, &slots)
            lamports[owner] = Int128(try Self.integer(balance, "balance"))
            for mint in mints {
                units[owner, default: [:]][mint] = try Self.units(
                    try Self.value(answers.popFirst() ?? nil, &slots),
                    of: mint,
                    owner
                )
            }
        }
        guard let slot = slots.min() else { throw .malformed("nobody's balances") }
        return Holdings(slot: slot, lamports: lamports, units: units)
    }

    /// Accounts in a final slot, in their order; nil where there is none.
    func accounts(at addresses: [SolanaAddress]) async throws(NodeError) -> [Account?] {
        let options: JSON = ["commitment": .string(Commitment.finalized.rawValue), "encoding": "base64"]
        let json = try await rpc.call(
            "getMultipleAccounts",
            .array(addresses.map { .string($0.description) }),
            options
        )
        guard let values = json["value"]?.elements, values.count == addresses.count else {
            throw .malformed("accounts")
        }
        var accounts: [Account?] = []
        for value in values { accounts.append(value == .null ? nil : try Self.account(value)) }
        return accounts
    }

    /// The least that an account with so many bytes must have.
    func rent(bytes: Int) async throws(NodeError) -> Int128 {
        Int128(
            try Self.integer(try await rpc.call("getMinimumBalanceForRentExemption", .integer(bytes)), "rent")
        )
    }

    /// What was paid for a compute unit in recent slots by transactions that change accounts, in millionths of a
    /// lamport.
    func unitPrices(changing accounts: [SolanaAddress]) async throws(NodeError) -> [UInt64] {
        let json = try await rpc.call(
            "getRecentPrioritizationFees",
            .array(accounts.map { .string($0.description) })
        )
        guard let entries = json.elements else { throw .malformed("fees") }
        var prices: [UInt64] = []
        for entry in entries { prices.append(UInt64(try Self.integer(entry["prioritizationFee"], "fee"))) }
        return prices
    }

    /// Where a transaction is; nil where the node doesn't know it.
    func standing(of signature: [UInt8]) async throws(NodeError) -> Standing? {
        let json = try await rpc.call(
            "getSignatureStatuses",
            [.string(Base58.encode(signature))],
            ["searchTransactionHistory": true]
        )
        guard let values = json["value"]?.elements, values.count == 1 else { throw .malformed("statuses") }
        guard values[0] != .null else { return nil }
        guard let status = values[0]["confirmationStatus"]?.stringValue, let fault = values[0]["err"] else {
            throw .malformed("status")
        }
        return Standing(
            slot: try Self.counter(values[0]["slot"], "slot"),
            succeeded: fault == .null,
            isFinal: status == Commitment.finalized.rawValue
        )
    }

    /// What a final transaction cost, in lamports; nil where the node doesn't have it.
    func fee(of signature: [UInt8]) async throws(NodeError) -> Int128? {
        let json = try await rpc.call(
            "getTransaction",
            .string(Base58.encode(signature)),
            [
                "commitment": .string(Commitment.finalized.rawValue), "encoding": "base64",
                "maxSupportedTransactionVersion": .integer(0),
            ]
        )
        return json == .null ? nil : Int128(try Self.integer(json["meta"]?["fee"], "fee"))
    }
}

extension SolanaNode {
    /// A number from 0 to what 63 bits hold.
    static func integer(_ json: JSON?, _ what: String) throws(NodeError) -> Int64 {
        guard let value = json?.integerValue, value >= 0 else { throw .malformed(what) }
        return Int64(value)
    }

    /// A slot, a height or seconds, of at most 40 bits: what is counted on from it overflows nothing.
    static func counter(_ json: JSON?, _ what: String) throws(NodeError) -> Int64 {
        let value = try integer(json, what)
        guard value < 1 << 40 else { throw .malformed(what) }
        return value
    }

    /// 32 bytes in Base 58.
    static func hash(_ json: JSON?, _ what: String) throws(NodeError) -> [UInt8] {
        guard let hash = json?.stringValue.flatMap(Base58.decode), hash.count == 32 else { throw .malformed(what) }
        return hash
    }

    /// A number of units, which are written as text.
    static func units(_ json: JSON?) throws(NodeError) -> Int128 {
        Int128(try SuiNode.number(json, "units"))
    }

    private static func at(_ commitment: Commitment) -> JSON { ["commitment": .string(commitment.rawValue)] }

    private static func account(_ json: JSON) throws(NodeError) -> Account {
        guard let data = json["data"]?.elements?.first?.stringValue.flatMap({ Base64.decode($0) }) else {
            throw .malformed("account")
        }
        var units: Int128 = 0
        if json["owner"]?.stringValue == SolanaAddress.tokenProgram.description, data.count == tokenAccountBytes,
            data[statePlace] == 1
        {
            for byte in data[amountPlace..<(amountPlace + 8)].reversed() { units = units << 8 | Int128(byte) }
        }
        return Account(lamports: Int128(try integer(json["lamports"], "lamports")), units: units)
    }

    /// An answer's value, and the slot that it is as of.
    private static func value(_ answer: JSON?, _ slots: inout Set<Int64>) throws(NodeError) -> JSON? {
        slots.insert(try counter(answer?["context"]?["slot"], "context"))
        return answer?["value"]
    }

    private static func units(
        _ value: JSON?,
        of mint: SolanaAddress,
        _ owner: SolanaAddress
    ) throws(NodeError) -> Int128 {
        guard let accounts = value?.elements, accounts.count <= accountsMax else { throw .malformed("token accounts") }
        var units: Int128 = 0
        for account in accounts {
            let facts = account["account"]?["data"]?["parsed"]?["info"]
            guard facts?["mint"]?.stringValue == mint.description, facts?["owner"]?.stringValue == owner.description
            else { throw .malformed("another token account") }
            units += try self.units(facts?["tokenAmount"]?["amount"])
        }
        return units
    }
}

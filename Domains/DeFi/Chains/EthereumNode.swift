import Kernel
import WalletCrypto

/// One node of Ethereum, asked over JSON-RPC.
struct EthereumNode: Sendable {
    /// A call that changes nothing.
    struct View: Sendable {
        let to: EthereumAddress
        let data: [UInt8]
        var from: EthereumAddress?
    }

    /// As of which block something is asked.
    enum At: Sendable {
        case latest
        /// With what waits in the node's pool.
        case pending
        case number(Int64)

        var json: JSON {
            switch self {
            case .latest: "latest"
            case .pending: "pending"
            case .number(let number): EthereumText.quantity(UInt64(number))
            }
        }
    }

    let rpc: JSONRPC

    /// The chain's id (EIP-155).
    func chainID() async throws(NodeError) -> UInt64 {
        try EthereumText.small(try await rpc.call("eth_chainId"), "chain id")
    }

    /// The number of the newest block.
    func head() async throws(NodeError) -> Int64 {
        Int64(try EthereumText.small(try await rpc.call("eth_blockNumber"), "block number"))
    }

    /// A block of the chain as it is now, with its transactions; nil above the newest.
    func block(_ number: Int64) async throws(NodeError) -> EthereumBlock? {
        let json = try await rpc.call("eth_getBlockByNumber", At.number(number).json, true)
        if json == .null { return nil }
        let block = try EthereumBlock(json)
        guard block.number == number else { throw .malformed("another block") }
        return block
    }

    /// Which block of the chain has a number, without its transactions; nil above the newest.
    func reference(_ number: Int64) async throws(NodeError) -> BlockReference? {
        let json = try await rpc.call("eth_getBlockByNumber", At.number(number).json, false)
        if json == .null { return nil }
        let found = Int64(clamping: try EthereumText.small(json["number"] ?? .null, "block number"))
        guard found == number else { throw .malformed("another block") }
        return BlockReference(number: number, hash: try EthereumText.bytes(json["hash"], count: 32, "hash"))
    }

    /// The receipt of a transaction on the chain as it is now; nil while it is in no block.
    func receipt(_ hash: [UInt8]) async throws(NodeError) -> EthereumReceipt? {
        let json = try await rpc.call("eth_getTransactionReceipt", EthereumText.data(hash))
        if json == .null { return nil }
        let receipt = try EthereumReceipt(json)
        // A node that answers with another transaction's receipt is not believed.
        guard receipt.transaction == hash else { throw .malformed("another transaction's receipt") }
        return receipt
    }

    /// The receipts of transactions, in their order, in one request; nil for one that is in no block, and where the
    /// node says nothing that is one.
    func receipts(_ hashes: [[UInt8]]) async throws(NodeError) -> [EthereumReceipt?] {
        guard !hashes.isEmpty else { return [] }
        let calls = hashes.map { JSONRPC.Call("eth_getTransactionReceipt", EthereumText.data($0)) }
        var receipts: [EthereumReceipt?] = []
        for (hash, result) in zip(hashes, try await rpc.calls(calls)) {
            let receipt = result.flatMap { try? EthereumReceipt($0) }
            receipts.append(receipt?.transaction == hash ? receipt : nil)
        }
        return receipts
    }

    /// What accounts have in wei, in their order, in one request; nil where the node doesn't say.
    func balances(of accounts: [EthereumAddress], at: At) async throws(NodeError) -> [BigUInt?] {
        guard !accounts.isEmpty else { return [] }
        let calls = accounts.map { JSONRPC.Call("eth_getBalance", EthereumText.data($0.bytes), at.json) }
        var balances: [BigUInt?] = []
        for result in try await rpc.calls(calls) {
            balances.append(result.flatMap { try? EthereumText.number($0, "balance") })
        }
        return balances
    }

    /// Whether the node knows a transaction, waiting or in a block.
    func knows(_ hash: [UInt8]) async throws(NodeError) -> Bool {
        let json = try await rpc.call("eth_getTransactionByHash", EthereumText.data(hash))
        if json == .null { return false }
        guard try EthereumText.bytes(json["hash"], count: 32, "hash") == hash else { throw .malformed("another hash") }
        return true
    }

    /// How many transactions of an account are in blocks: the nonce of its next one.
    func nonce(of account: EthereumAddress, at: At = .latest) async throws(NodeError) -> UInt64 {
        let json = try await rpc.call("eth_getTransactionCount", EthereumText.data(account.bytes), at.json)
        return try EthereumText.small(json, "nonce")
    }

    /// What an account has, in wei.
    func balance(of account: EthereumAddress, at: At = .latest) async throws(NodeError) -> BigUInt {
        try EthereumText.number(
            try await rpc.call("eth_getBalance", EthereumText.data(account.bytes), at.json),
            "balance"
        )
    }

    /// The code at an address; empty for none.
    func code(at address: EthereumAddress, _ at: At = .latest) async throws(NodeError) -> [UInt8] {
        try EthereumText.bytes(
            try await rpc.call("eth_getCode", EthereumText.data(address.bytes), at.json),
            "code"
        )
    }

    /// What calls answer, in their order, in one request; nil for one that reverts, or is answered by no bytes.
    func views(_ views: [View], at: At = .latest) async throws(NodeError) -> [[UInt8]?] {
        let calls = views.map { JSONRPC.Call("eth_call", $0.json, at.json) }
        var answers: [[UInt8]?] = []
        for result in try await rpc.calls(calls) {
            answers.append(result.flatMap { try? EthereumText.bytes($0, "result") })
        }
        return answers
    }

    /// The base fees and tips of the newest blocks.
    func feeHistory(blocks: Int, percentiles: [Int]) async throws(NodeError) -> FeeHistory {
        try FeeHistory(
            try await rpc.call(
                "eth_feeHistory",
                EthereumText.quantity(UInt64(blocks)),
                At.latest.json,
                .array(percentiles.map { .integer($0) })
            ),
            percentiles: percentiles.count
        )
    }

    /// The events of contracts in a block.
    ///
    /// Asked by its hash (EIP-234): a node that doesn't have the block refuses. By a range of numbers it would say that
    /// there are none, or tell those of another block at that height.
    func logs(in block: BlockReference, of contracts: [EthereumAddress]) async throws(NodeError) -> [EthereumLog] {
        let filter: JSON = [
            "blockHash": EthereumText.data(block.hash),
            "address": .array(contracts.map { EthereumText.data($0.bytes) }),
        ]
        guard let entries = try await rpc.call("eth_getLogs", filter).elements else { throw .malformed("logs") }
        var logs: [EthereumLog] = []
        for entry in entries {
            let log = try EthereumLog(entry)
            guard log.block == block else { throw .malformed("another block's log") }
            logs.append(log)
        }
        return logs
    }
}

extension EthereumNode.View {
    var json: JSON {
        var members = [JSON.Member("to", EthereumText.data(to.bytes)), JSON.Member("data", EthereumText.data(data))]
        if let from { members.insert(JSON.Member("from", EthereumText.data(from.bytes)), at: 0) }
        return .object(members)
    }
}

import Cryptography
import Kernel
import OutboundHTTP
import WalletCrypto

/// One node of Bitcoin, asked as Bitcoin Core 28 and newer answers (JSON-RPC 2.0), with an index of transactions.
struct BitcoinNode: Sendable {
    /// A full block with what its inputs spend; the largest ones take some 30 MB.
    static let answerBytesMax = 64 << 20
    /// Looking through all outputs takes minutes on the main network.
    static let scanSecondsMax = 600.0

    // Bitcoin Core, rpc/protocol.h.
    private static let notFound = -5
    private static let outOfRange = -8

    let rpc: JSONRPC
    let network: BitcoinNetwork

    init(
        url: String,
        http: HTTPClient,
        headers: [OutboundHeader] = [],
        deadlineSeconds: Double = 30,
        _ network: ChainNetwork
    ) {
        var rpc = JSONRPC(url: url, http: http, deadlineSeconds: deadlineSeconds)
        (rpc.headers, rpc.answerBytesMax) = (headers, Self.answerBytesMax)
        (self.rpc, self.network) = (rpc, network.bitcoin)
    }

    /// The height of the newest block.
    func head() async throws(NodeError) -> Int64 {
        guard let height = BitcoinText.index(try await rpc.call("getblockcount")) else {
            throw .malformed("height")
        }
        return Int64(height)
    }

    /// The hash of the block at a height in the chain as it is now; nil above the newest.
    func hash(at height: Int64) async throws(NodeError) -> [UInt8]? {
        do throws(NodeError) {
            return try BitcoinText.hash(try await rpc.call("getblockhash", .integer(height)), "block hash")
        } catch {
            guard case .refused(Self.outOfRange, _) = error else { throw error }
            return nil
        }
    }

    /// A block with its transactions and what they spend.
    func block(_ hash: [UInt8]) async throws(NodeError) -> PaymentBlock {
        let json = try await rpc.call("getblock", .string(Hex.encode(hash)), .integer(3))
        let block = try PaymentBlock(bitcoin: json, network)
        guard block.hash == hash else { throw .malformed("another block") }
        return block
    }

    /// Where a transaction is.
    func status(of id: [UInt8]) async throws(NodeError) -> PaymentStatus {
        let json: JSON
        do throws(NodeError) {
            json = try await rpc.call("getrawtransaction", .string(Hex.encode(id)), .integer(2))
        } catch {
            guard case .refused(Self.notFound, _) = error else { throw error }
            return .unknown
        }
        guard try BitcoinText.hash(json["txid"], "txid") == id else { throw .malformed("another transaction") }
        guard let hash = json["blockhash"] else { return .pending }
        let header = try await rpc.call("getblockheader", hash, true)
        guard let height = BitcoinText.index(header["height"]), let depth = header["confirmations"]?.integerValue else {
            throw .malformed("header")
        }
        // A block beside the chain has -1.
        guard depth > 0 else { return .unknown }
        let block = BlockReference(number: Int64(height), hash: try BitcoinText.hash(hash, "block hash"))
        return .included(block, succeeded: true, fee: Int128(try BitcoinText.satoshi(json["fee"], "fee")))
    }

    /// The bytes of transactions, in their order; nil for one that the node doesn't know.
    func transactions(_ ids: [[UInt8]]) async throws(NodeError) -> [[UInt8]?] {
        let calls = ids.map { JSONRPC.Call("getrawtransaction", .string(Hex.encode($0))) }
        return try await rpc.calls(calls).map { $0?.stringValue.flatMap { Hex.decode($0) } }
    }

    /// Whether outputs, by their names, can all be spent, as far as blocks say.
    func areSpendable(_ items: [String]) async throws(NodeError) -> Bool {
        var calls: [JSONRPC.Call] = []
        for item in items {
            guard let (id, index) = BitcoinText.outpoint(item) else { return false }
            calls.append(JSONRPC.Call("gettxout", .string(id), .integer(index), false))
        }
        for answer in try await rpc.calls(calls) {
            guard let answer else { throw .malformed("gettxout") }
            if answer == .null { return false }
        }
        return true
    }

    /// Satoshi for 1,000 virtual bytes, so that a transaction is in one of the next blocks.
    func feeRate(blocks: Int) async throws(NodeError) -> Int64 {
        let estimate = try await rpc.call("estimatesmartfee", .integer(blocks))
        guard estimate["feerate"] != nil else { throw .refused(code: 0, message: "no estimate of fees yet") }
        let least = try await rpc.call("getmempoolinfo")
        return max(
            try BitcoinText.satoshi(estimate["feerate"], "fee rate"),
            try BitcoinText.satoshi(least["mempoolminfee"], "least fee rate")
        )
    }

    /// All that addresses can spend, and as of which block.
    func scan(
        _ addresses: [String]
    ) async throws(NodeError) -> (block: BlockReference, coins: [(Int64, PaymentBlock.Coin)]) {
        var patient = rpc
        patient.deadlineSeconds = max(rpc.deadlineSeconds, Self.scanSecondsMax)
        let wanted = Set(addresses)
        let json = try await patient.call(
            "scantxoutset",
            "start",
            .array(addresses.map { .string("addr(\($0))") })
        )
        guard json["success"]?.boolValue == true, let height = BitcoinText.index(json["height"]),
            let found = json["unspents"]?.elements
        else { throw .malformed("scan") }
        var coins: [(Int64, PaymentBlock.Coin)] = []
        for output in found {
            let id = try BitcoinText.hash(output["txid"], "txid")
            guard let index = BitcoinText.index(output["vout"]), let height = BitcoinText.index(output["height"]),
                let address = try BitcoinText.address(output["scriptPubKey"], network), wanted.contains(address)
            else { throw .malformed("output") }
            let coin = PaymentBlock.Coin(
                item: BitcoinText.item(id, index),
                address: address,
                amount: Int128(try BitcoinText.satoshi(output["amount"], "amount")),
                isMinted: output["coinbase"]?.boolValue == true
            )
            if coin.amount > 0 { coins.append((Int64(height), coin)) }
        }
        return (BlockReference(number: Int64(height), hash: try BitcoinText.hash(json["bestblock"], "block")), coins)
    }

    /// Sends a signed transaction; sending it again does nothing.
    func send(_ raw: [UInt8]) async -> Reception {
        do throws(NodeError) {
            _ = try BitcoinText.hash(try await rpc.call("sendrawtransaction", .string(Hex.encode(raw))), "txid")
            return .accepted
        } catch {
            return Reception(bitcoin: error)
        }
    }
}

extension Reception {
    /// What a node's error says; the words are those of Bitcoin Core's mempool and RPC.
    init(bitcoin error: NodeError) {
        guard case .refused(let code, let message) = error else {
            self = .unknown(error.description)
            return
        }
        let text = message.lowercased()
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        switch code {
        case -27: self = .accepted
        case -25, -26, -22:
            if says("txn-already-known", "already-in-mempool", "same-nonwitness-data") {
                self = .accepted
            } else if says("missingorspent", "missing-inputs", "txn-mempool-conflict") {
                self = .nonceTooLow
            } else if says("insufficient fee", "fee not met", "mempool full") {
                self = .underpriced
            } else {
                self = .refused(message)
            }
        // It is starting, or does something else.
        default: self = .unknown(error.description)
        }
    }
}

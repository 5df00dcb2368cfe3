import Kernel
import WalletCrypto

/// What a block is known by.
struct BlockReference: Hashable, Sendable {
    let number: Int64
    /// 32 bytes.
    let hash: [UInt8]

    /// Whether the block that was the tip counts on, by the hash that a node has at its height, nil for none.
    ///
    /// A node that hasn't got as far is behind and says nothing of the block: only another one at its height does. A
    /// chain on this machine, which is one node, may be shorter than it was.
    func stands(beside hash: [UInt8]?, isLocal: Bool) -> Bool { hash == self.hash || (hash == nil && !isLocal) }
}

/// A block with its transactions.
struct EthereumBlock: Hashable, Sendable {
    /// What is looked at of a block's transaction.
    struct Entry: Hashable, Sendable {
        let hash: [UInt8]
        let sender: EthereumAddress
        let nonce: UInt64
        let to: EthereumAddress?
        let value: BigUInt
    }

    let reference: BlockReference
    let parentHash: [UInt8]
    let timestamp: Timestamp
    /// Wei per gas.
    let baseFee: BigUInt
    let entries: [Entry]

    var number: Int64 { reference.number }
    var hash: [UInt8] { reference.hash }

    /// Reads a block with full transactions.
    init(_ json: JSON) throws(NodeError) {
        reference = BlockReference(
            number: Int64(try EthereumText.small(json["number"], "number")),
            hash: try EthereumText.bytes(json["hash"], count: 32, "hash")
        )
        parentHash = try EthereumText.bytes(json["parentHash"], count: 32, "parentHash")
        let seconds = try EthereumText.small(json["timestamp"], "timestamp")
        // Far above all there will be, and within what times are stored as.
        guard seconds <= 0xFF_FFFF_FFFF else { throw .malformed("timestamp") }
        timestamp = Timestamp(seconds: Int64(seconds))
        baseFee = try EthereumText.number(json["baseFeePerGas"], "baseFeePerGas")
        guard let transactions = json["transactions"]?.elements else { throw .malformed("transactions") }
        var entries: [Entry] = []
        for transaction in transactions {
            guard let sender = try EthereumText.address(transaction["from"], "from") else { throw .malformed("from") }
            entries.append(
                Entry(
                    hash: try EthereumText.bytes(transaction["hash"], count: 32, "hash"),
                    sender: sender,
                    nonce: try EthereumText.small(transaction["nonce"], "nonce"),
                    to: try EthereumText.address(transaction["to"], "to"),
                    value: try EthereumText.number(transaction["value"], "value")
                )
            )
        }
        self.entries = entries
    }
}

/// An event that a contract wrote.
struct EthereumLog: Hashable, Sendable {
    let contract: EthereumAddress
    /// 32 bytes each.
    let topics: [[UInt8]]
    let data: [UInt8]
    let transaction: [UInt8]
    let block: BlockReference

    init(_ json: JSON) throws(NodeError) {
        guard let contract = try EthereumText.address(json["address"], "address"),
            let topics = json["topics"]?.elements, topics.count <= 4
        else { throw .malformed("log") }
        var read: [[UInt8]] = []
        for topic in topics { read.append(try EthereumText.bytes(topic, count: 32, "topic")) }
        (self.contract, self.topics) = (contract, read)
        data = try EthereumText.bytes(json["data"], "data")
        transaction = try EthereumText.bytes(json["transactionHash"], count: 32, "transactionHash")
        block = BlockReference(
            number: Int64(try EthereumText.small(json["blockNumber"], "blockNumber")),
            hash: try EthereumText.bytes(json["blockHash"], count: 32, "blockHash")
        )
    }
}

/// What became of a transaction in its block.
struct EthereumReceipt: Hashable, Sendable {
    let transaction: [UInt8]
    let block: BlockReference
    let succeeded: Bool
    let gasUsed: UInt64
    /// Wei per gas.
    let gasPrice: BigUInt
    let logs: [EthereumLog]

    /// Wei that the sender paid for gas.
    var gasCost: BigUInt { BigUInt(gasUsed) * gasPrice }

    init(_ json: JSON) throws(NodeError) {
        transaction = try EthereumText.bytes(json["transactionHash"], count: 32, "transactionHash")
        block = BlockReference(
            number: Int64(try EthereumText.small(json["blockNumber"], "blockNumber")),
            hash: try EthereumText.bytes(json["blockHash"], count: 32, "blockHash")
        )
        let status = try EthereumText.small(json["status"], "status")
        guard status <= 1 else { throw .malformed("status") }
        succeeded = status == 1
        gasUsed = try EthereumText.small(json["gasUsed"], "gasUsed")
        gasPrice = try EthereumText.number(json["effectiveGasPrice"], "effectiveGasPrice")
        guard let entries = json["logs"]?.elements else { throw .malformed("logs") }
        var logs: [EthereumLog] = []
        for entry in entries {
            let log = try EthereumLog(entry)
            guard log.transaction == transaction, log.block == block else { throw .malformed("another's log") }
            logs.append(log)
        }
        self.logs = logs
    }
}

import Cryptography
import Kernel
import WalletCrypto

@testable import DeFi

/// What a node may answer, how the program reads it, and what it says when read as simply as can be.
enum NodeAnswers: String, CaseIterable, Sendable {
    case block
    case receipt
    case fees
    case bitcoin
    case solana
    case sui

    /// What is read of an answer, in the words of the answer.
    func read(_ json: JSON) throws(NodeError) -> JSON {
        switch self {
        case .block: Self.words(try EthereumBlock(json))
        case .receipt: Self.words(try EthereumReceipt(json))
        case .fees: Self.words(try FeeHistory(json, percentiles: 3))
        case .bitcoin: Self.words(try PaymentBlock(bitcoin: json, .mainnet))
        case .solana: Self.words(try SolanaBlock(json, slot: 7, .accounts))
        case .sui: Self.words(try SuiCheckpoint(json))
        }
    }

    /// Whether an answer says what was read of it: each member, spelled in one way or another.
    static func says(_ given: JSON?, _ read: JSON) -> Bool {
        switch read {
        case .object(let members): members.allSatisfy { says(given?[$0.name], $0.value) }
        case .array(let values):
            given?.elements.map { $0.count == values.count && zip($0, values).allSatisfy(says) } ?? false
        case .null: given == nil || given == .null
        case .string(let text): given?.stringValue.map { plain($0) == plain(text) } ?? false
        case .number(let text): if case .number(let other)? = given { plain(other) == plain(text) } else { false }
        case .bool: given == read
        }
    }

    /// A text without what makes no difference: capitals, zeros in front of a quantity, an amount's zeros at its end.
    private static func plain(_ text: String) -> String {
        let lower = text.lowercased()
        if lower.hasPrefix("0x") { return String(lower.dropFirst(2).drop { $0 == "0" }) }
        guard lower.contains(".") else { return lower == "-0" ? "0" : lower }
        var digits = lower[...]
        while digits.last == "0" { digits.removeLast() }
        return String(digits.last == "." ? digits.dropLast() : digits)
    }

    // MARK: Ethereum

    private static func data(_ bytes: [UInt8]) -> JSON { .string(HexText.encode(bytes)) }
    private static func quantity(_ value: some BinaryInteger) -> JSON { EthereumText.quantity(UInt64(value)) }

    private static func words(_ block: EthereumBlock) -> JSON {
        let transactions = block.entries.map { entry -> JSON in
            [
                "hash": data(entry.hash), "from": data(entry.sender.bytes), "nonce": quantity(entry.nonce),
                "to": entry.to.map { data($0.bytes) } ?? .null, "value": EthereumText.quantity(entry.value),
            ]
        }
        return [
            "number": quantity(block.number), "hash": data(block.hash), "parentHash": data(block.parentHash),
            "timestamp": quantity(block.timestamp.seconds), "baseFeePerGas": EthereumText.quantity(block.baseFee),
            "transactions": .array(transactions),
        ]
    }

    private static func words(_ receipt: EthereumReceipt) -> JSON {
        let logs = receipt.logs.map { log -> JSON in
            [
                "address": data(log.contract.bytes), "topics": .array(log.topics.map(data)), "data": data(log.data),
                "transactionHash": data(receipt.transaction), "blockNumber": quantity(receipt.block.number),
                "blockHash": data(receipt.block.hash),
            ]
        }
        return [
            "transactionHash": data(receipt.transaction), "blockNumber": quantity(receipt.block.number),
            "blockHash": data(receipt.block.hash), "status": quantity(receipt.succeeded ? 1 : 0),
            "gasUsed": quantity(receipt.gasUsed), "effectiveGasPrice": EthereumText.quantity(receipt.gasPrice),
            "logs": .array(logs),
        ]
    }

    private static func words(_ history: FeeHistory) -> JSON {
        [
            "nextBaseFee": EthereumText.quantity(history.nextBaseFee),
            "tips": .array(history.tips.map { .array($0.map(EthereumText.quantity)) }),
        ]
    }

    // MARK: The others

    private static func words(_ block: PaymentBlock) -> JSON {
        let transactions = block.entries.map { entry -> JSON in
            let makes = entry.makes.map { JSON.array([.string($0.item), .integer($0.amount)]) }
            return [
                "txid": .string(Hex.encode(entry.id)), "fee": .integer(entry.fee),
                "spends": .array(entry.spends.map { .string($0) }), "makes": .array(makes),
            ]
        }
        return [
            "height": .integer(block.number), "hash": .string(Hex.encode(block.hash)),
            "previousblockhash": .string(Hex.encode(block.parentHash)),
            "time": block.timestamp.map { .integer($0.seconds) } ?? .null,
            "tx": .array(transactions),
        ]
    }

    private static func words(_ block: SolanaBlock) -> JSON {
        let transactions = block.entries.map { entry -> JSON in
            let units = entry.units.values.flatMap(\.values).filter { $0 != 0 }.sorted()
            return [
                "signature": .string(Base58.encode(entry.signature)), "succeeded": .bool(entry.succeeded),
                "fee": .integer(entry.fee), "lamports": .array(entry.lamports.values.sorted().map { .integer($0) }),
                "units": .array(units.map { .integer($0) }),
            ]
        }
        return [
            "blockhash": .string(Base58.encode(block.reference.hash)),
            "blockTime": block.timestamp.map { .integer($0.seconds) } ?? .null,
            "previousBlockhash": .string(Base58.encode(block.parentHash)), "transactions": .array(transactions),
        ]
    }

    private static func words(_ checkpoint: SuiCheckpoint) -> JSON {
        let nodes = checkpoint.entries.map { entry -> JSON in
            let moves = entry.moves.map { move -> JSON in
                [
                    "address": .string(move.address.description), "coinType": .string(move.type),
                    "amount": .string(String(move.units)),
                ]
            }
            return [
                "digest": .string(Base58.encode(entry.digest)), "fee": .integer(entry.effects.fee),
                "status": .string(entry.effects.succeeded ? "SUCCESS" : "FAILURE"), "moves": .array(moves),
                "spends": .array(entry.spends.map { .string($0) }),
            ]
        }
        return [
            "sequenceNumber": .integer(checkpoint.reference.number),
            "digest": .string(Base58.encode(checkpoint.reference.hash)),
            "previousCheckpointDigest": .string(Base58.encode(checkpoint.parentHash)), "nodes": .array(nodes),
        ]
    }
}

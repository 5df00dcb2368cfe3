import Cryptography
import Kernel
import WalletCrypto

@testable import DeFi

extension NodeAnswers {
    /// An answer as a node gives it.
    func sample() throws -> JSON { try JSON.parse(Array(text.utf8)) }

    private static func digits(_ digit: Character, _ count: Int = 64) -> String {
        String(repeating: digit, count: count)
    }
    private static func base58(_ byte: UInt8, _ count: Int = 32) -> String {
        Base58.encode([UInt8](repeating: byte, count: count))
    }

    private var text: String {
        switch self {
        case .block: Self.blockText
        case .receipt: Self.receiptText
        case .fees:
            """
            {"oldestBlock": "0x10", "baseFeePerGas": ["0x7", "0x8", "0x9", "0xa"], "gasUsedRatio": [0.5, 0, 0.99],
            "reward": [["0x1", "0x2", "0x3"], ["0x0", "0x0", "0x0"], ["0x4", "0x5", "0x6"]]}
            """
        case .bitcoin: Self.bitcoinText
        case .solana: Self.solanaText
        case .sui: Self.suiText
        }
    }

    private static let blockText = """
        {"number": "0x1b4", "hash": "0x\(digits("a"))", "parentHash": "0x\(digits("b"))", "timestamp": "0x67748580",
        "baseFeePerGas": "0x3b9aca00", "transactions": [
        {"hash": "0x\(digits("c"))", "from": "0x\(digits("1", 40))", "nonce": "0x15", "to": "0x\(digits("2", 40))",
        "value": "0xde0b6b3a7640000"},
        {"hash": "0x\(digits("d"))", "from": "0x\(digits("3", 40))", "nonce": "0x0", "to": null, "value": "0x0"}]}
        """

    private static let receiptText = """
        {"transactionHash": "0x\(digits("c"))", "blockNumber": "0x1b4", "blockHash": "0x\(digits("a"))",
        "status": "0x1", "gasUsed": "0x5208", "effectiveGasPrice": "0x77359400", "logs": [
        {"address": "0x\(digits("4", 40))", "topics": ["0x\(digits("e"))", "0x\(digits("f"))"], "data": "0x00ff10",
        "transactionHash": "0x\(digits("c"))", "blockNumber": "0x1b4", "blockHash": "0x\(digits("a"))"}]}
        """

    private static let bitcoinText = """
        {"height": 840000, "hash": "\(digits("a"))", "previousblockhash": "\(digits("b"))", "time": 1713571767, "tx": [
        {"txid": "\(digits("c"))", "vin": [{"coinbase": "03a0d10c"}], "vout": [
        {"n": 0, "value": 3.12500000, "scriptPubKey": {"hex": "0014\(digits("7", 40))"}}]},
        {"txid": "\(digits("d"))", "vin": [{"txid": "\(digits("e"))", "vout": 1,
        "prevout": {"value": 0.50000000, "scriptPubKey": {"hex": "0014\(digits("8", 40))"}}}], "vout": [
        {"n": 0, "value": 0.20000000, "scriptPubKey": {"hex": "5120\(digits("9"))"}},
        {"n": 1, "value": 0.29990000, "scriptPubKey": {"hex": "a914\(digits("6", 40))87"}}]}]}
        """

    private static let solanaText = """
        {"blockhash": "\(base58(1))", "previousBlockhash": "\(base58(2))", "blockTime": 1713571767, "transactions": [
        {"transaction": {"signatures": ["\(base58(3, 64))"],
        "accountKeys": [{"pubkey": "\(base58(4))"}, {"pubkey": "\(base58(5))"}]},
        "meta": {"err": null, "fee": 5000, "preBalances": [1000000, 7], "postBalances": [895000, 100007],
        "preTokenBalances": [
        {"owner": "\(base58(6))", "mint": "\(base58(7))", "uiTokenAmount": {"amount": "250"}}],
        "postTokenBalances": [
        {"owner": "\(base58(6))", "mint": "\(base58(7))", "uiTokenAmount": {"amount": "200"}},
        {"owner": "\(base58(8))", "mint": "\(base58(7))", "uiTokenAmount": {"amount": "50"}}]}}]}
        """

    private static let suiText = """
        {"sequenceNumber": 123456, "digest": "\(base58(1))", "previousCheckpointDigest": "\(base58(2))",
        "timestamp": "2026-05-01T10:00:00Z", "transactions": {"pageInfo": {"hasNextPage": false, "endCursor": null},
        "nodes": [{"digest": "\(base58(3))", "effects": {"status": "SUCCESS", "gasEffects": {"gasSummary":
        {"computationCost": 1000, "storageCost": 2000, "storageRebate": 500}}, "balanceChangesJson": [
        {"address": "0x\(digits("a"))", "coinType": "0x2::sui::SUI", "amount": "-2500"},
        {"address": "0x\(digits("b"))", "coinType": "0x2::sui::SUI", "amount": "700"}],
        "objectChanges": {"nodes": [{"address": "0x\(digits("c"))", "inputState": {"version": 41}}]}}}]}}
        """
}

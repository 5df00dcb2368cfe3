import Kernel
import WalletCrypto

/// A checkpoint of Sui: transactions that stay.
struct SuiCheckpoint: Hashable, Sendable {
    /// What became of a transaction.
    struct Effects: Hashable, Sendable {
        let checkpoint: BlockReference
        let succeeded: Bool
        /// MIST; below zero where what it gave back of storage was more.
        let fee: Int128

        init(_ json: JSON?, in checkpoint: BlockReference) throws(NodeError) {
            self.checkpoint = checkpoint
            switch json?["status"]?.stringValue {
            case "SUCCESS": succeeded = true
            case "FAILURE": succeeded = false
            default: throw .malformed("status")
            }
            // A system's own transactions pay nothing.
            let effects = json?["gasEffects"]
            guard let gas = effects == .null ? effects : effects?["gasSummary"] else { throw .malformed("gas") }
            guard gas != .null else {
                fee = 0
                return
            }
            fee =
                Int128(try SuiNode.integer(gas["computationCost"], "gas"))
                + Int128(try SuiNode.integer(gas["storageCost"], "gas"))
                - Int128(try SuiNode.integer(gas["storageRebate"], "gas"))
        }
    }

    /// What an address got or gave of a type of coin.
    struct Move: Hashable, Sendable {
        let address: SuiAddress
        /// As Sui writes it: `0x2::sui::SUI`, its package with all 64 digits or without zeros in front.
        let type: String
        let units: Int128
    }

    struct Entry: Hashable, Sendable {
        let digest: [UInt8]
        let effects: Effects
        let moves: [Move]
        /// What was there before of objects that it changed, as `SuiChain.item` names it.
        let spends: [String]
    }

    /// Pages of 20 transactions; a checkpoint has 10,000 at most (Sui's protocol configuration).
    static let pagesMax = 500
    static let effects = "status gasEffects { gasSummary { computationCost storageCost storageRebate } }"
    // Of what a transaction changes the first 50: whether a payment is still possible is told by its objects' versions
    // in the end.
    static let document = """
        query($n: UInt53!, $after: String) { checkpoint(sequenceNumber: $n) {
        sequenceNumber digest previousCheckpointDigest timestamp
        transactions(first: 20, after: $after) { pageInfo { hasNextPage endCursor }
        nodes { digest effects { \(effects) balanceChangesJson
        objectChanges(first: 50) { nodes { address inputState { version } } } } } } } }
        """

    let reference: BlockReference
    /// Zeros for the first one.
    let parentHash: [UInt8]
    let timestamp: Timestamp
    let entries: [Entry]

    private init(_ other: SuiCheckpoint, _ entries: [Entry]) {
        (reference, parentHash, timestamp) = (other.reference, other.parentHash, other.timestamp)
        self.entries = entries
    }

    /// Reads one page of it.
    init(_ json: JSON) throws(NodeError) {
        reference = try SuiNode.reference(json)
        let parent = json["previousCheckpointDigest"] ?? .null
        parentHash =
            parent == .null && reference.number == 0
            ? [UInt8](repeating: 0, count: 32) : try SuiNode.hash(parent, "previous digest")
        guard let timestamp = json["timestamp"]?.stringValue.flatMap({ Timestamp($0) }) else {
            throw .malformed("timestamp")
        }
        self.timestamp = timestamp
        guard let nodes = json["transactions"]?["nodes"]?.elements, nodes.count <= SuiNode.pageMax else {
            throw .malformed("transactions")
        }
        var entries: [Entry] = []
        for node in nodes { entries.append(try Self.entry(node, reference)) }
        self.entries = entries
    }

    /// It with another page's transactions.
    func adding(_ entries: [Entry]) -> SuiCheckpoint { SuiCheckpoint(self, self.entries + entries) }

    private static func entry(_ json: JSON, _ reference: BlockReference) throws(NodeError) -> Entry {
        let effects = json["effects"]
        var moves: [Move] = []
        for change in try list(effects?["balanceChangesJson"], "balance changes") {
            guard let type = change["coinType"]?.stringValue, let text = change["amount"]?.stringValue,
                let units = Int128(text), String(units) == text, units.magnitude <= UInt64.max
            else { throw .malformed("balance change") }
            moves.append(Move(address: try SuiNode.address(change["address"]), type: type, units: units))
        }
        var spends: [String] = []
        let objects = effects?["objectChanges"]
        for change in try list(objects == .null ? objects : objects?["nodes"], "object changes") {
            guard let before = change["inputState"] else { throw .malformed("input state") }
            guard before != .null else { continue }
            let version = UInt64(try SuiNode.integer(before["version"], "version"))
            spends.append(SuiChain.item(try SuiNode.address(change["address"]), version))
        }
        return Entry(
            digest: try SuiNode.hash(json["digest"], "digest"),
            effects: try Effects(effects, in: reference),
            moves: moves,
            spends: spends
        )
    }

    /// A list that is asked for: null stands for none, and one that is missing for no answer.
    private static func list(_ json: JSON?, _ what: String) throws(NodeError) -> [JSON] {
        guard let json, json == .null || json.elements != nil else { throw .malformed(what) }
        return json.elements ?? []
    }
}

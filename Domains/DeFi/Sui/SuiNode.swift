import Cryptography
import Kernel
import WalletCrypto

/// One node of Sui, asked over GraphQL; its JSON-RPC is gone.
struct SuiNode: Sendable {
    /// The newest checkpoint, and what its epoch asks for.
    struct Head: Hashable, Sendable {
        let checkpoint: BlockReference
        let epoch: UInt64
        /// MIST per unit of gas at least.
        let gasPrice: UInt64
        /// The first four bytes of the genesis checkpoint's digest, in hexadecimal.
        let chain: String
    }

    /// A coin object.
    struct Coin: Hashable, Sendable {
        let reference: SuiObjectReference
        let units: UInt64
    }

    // The server's limit of one page.
    static let pageMax = 50
    /// Coin objects of one type that are looked at: what an owner has beside them can't be paid with.
    static let coinsMax = 250
    // Aliases of one document, below the limits on a document's nodes and bytes.
    private static let aliasesMax = 20

    let graphQL: GraphQL

    func head() async throws(NodeError) -> Head {
        let data = try await graphQL.ask(
            "{ chainIdentifier checkpoint { sequenceNumber digest epoch { epochId referenceGasPrice } } }"
        )
        guard let chain = data["chainIdentifier"]?.stringValue else { throw .malformed("chain") }
        return Head(
            checkpoint: try Self.reference(data["checkpoint"]),
            epoch: UInt64(try Self.integer(data["checkpoint"]?["epoch"]?["epochId"], "epoch")),
            gasPrice: try Self.number(data["checkpoint"]?["epoch"]?["referenceGasPrice"], "gas price"),
            chain: chain
        )
    }

    /// A checkpoint's number and digest; nil for one that isn't there.
    func reference(at number: Int64) async throws(NodeError) -> BlockReference? {
        let data = try await graphQL.ask(
            "query($n: UInt53!) { checkpoint(sequenceNumber: $n) { sequenceNumber digest } }",
            ["n": .integer(number)]
        )
        guard let json = data["checkpoint"], json != .null else { return nil }
        return try Self.reference(json)
    }

    /// A checkpoint with what its transactions moved; nil for one that isn't there.
    func checkpoint(_ number: Int64) async throws(NodeError) -> SuiCheckpoint? {
        var (checkpoint, after): (SuiCheckpoint?, JSON) = (nil, .null)
        for _ in 0..<SuiCheckpoint.pagesMax {
            let data = try await graphQL.ask(SuiCheckpoint.document, ["n": .integer(number), "after": after])
            guard let json = data["checkpoint"], json != .null else { return nil }
            let page = try SuiCheckpoint(json)
            guard page.reference.number == number, checkpoint.map({ $0.reference == page.reference }) ?? true else {
                throw .malformed("another checkpoint")
            }
            checkpoint = checkpoint.map { $0.adding(page.entries) } ?? page
            guard let next = try Self.next(json["transactions"]) else { return checkpoint }
            after = next
        }
        throw .malformed("a checkpoint without an end")
    }

    /// What owners have of types of coin as of a checkpoint, in their order; nil where the node doesn't know it any
    /// more.
    func balances(
        of owners: [SuiAddress],
        types: [String],
        at number: Int64
    ) async throws(NodeError) -> [[UInt64]]? {
        var balances: [[UInt64]] = []
        for start in stride(from: 0, to: owners.count, by: Self.aliasesMax) {
            let part = owners[start..<min(start + Self.aliasesMax, owners.count)]
            let kinds = types.enumerated().map { "c\($0): balance(coinType: \"\($1)\") { totalBalance }" }
            let fields = part.enumerated().map { place, owner in
                "a\(place): address(address: \"\(owner)\") { \(kinds.joined(separator: " ")) }"
            }
            let data = try await graphQL.ask(
                "query($n: UInt53!) { checkpoint(sequenceNumber: $n) { query { \(fields.joined(separator: " ")) } } }",
                ["n": .integer(number)]
            )
            guard let answers = data["checkpoint"]?["query"], answers != .null else { return nil }
            for place in part.indices {
                let answer = answers["a\(place - start)"]
                var units: [UInt64] = []
                for kind in types.indices {
                    units.append(try Self.number(answer?["c\(kind)"]?["totalBalance"], "balance"))
                }
                balances.append(units)
            }
        }
        return balances
    }

    /// An owner's coin objects of a type.
    func coins(of owner: SuiAddress, type: String) async throws(NodeError) -> [Coin] {
        var (coins, after): ([Coin], JSON) = ([], .null)
        while coins.count < Self.coinsMax {
            let data = try await graphQL.ask(
                """
                query($a: SuiAddress!, $t: String!, $after: String) { address(address: $a) {
                objects(first: 50, after: $after, filter: { type: $t }) {
                nodes { address version digest contents { json } } pageInfo { hasNextPage endCursor } } } }
                """,
                ["a": .string(owner.description), "t": .string("0x2::coin::Coin<\(type)>"), "after": after]
            )
            // An address that nobody has used is none.
            guard let page = data["address"]?["objects"], page != .null else { return coins }
            guard let nodes = page["nodes"]?.elements, nodes.count <= Self.pageMax else { throw .malformed("coins") }
            for node in nodes {
                coins.append(
                    Coin(
                        reference: try Self.object(node),
                        units: try Self.number(node["contents"]?["json"]?["balance"], "balance")
                    )
                )
            }
            guard let next = try Self.next(page) else { return coins }
            after = next
        }
        return coins
    }

    /// The versions of objects now, in their order, nil for one that is no more, and the epoch that they are as of.
    func objects(_ objects: [SuiAddress]) async throws(NodeError) -> (epoch: UInt64, versions: [UInt64?]) {
        var (epoch, versions): (UInt64, [UInt64?]) = (0, [])
        for start in stride(from: 0, to: objects.count, by: Self.pageMax) {
            let part = objects[start..<min(start + Self.pageMax, objects.count)]
            let fields = part.enumerated().map { "o\($0): object(address: \"\($1)\") { version }" }
            let data = try await graphQL.ask("{ checkpoint { epoch { epochId } } \(fields.joined(separator: " ")) }")
            epoch = UInt64(try Self.integer(data["checkpoint"]?["epoch"]?["epochId"], "epoch"))
            for place in part.indices {
                guard let object = data["o\(place - start)"] else { throw .malformed("objects") }
                versions.append(object == .null ? nil : UInt64(try Self.integer(object["version"], "version")))
            }
        }
        return (epoch, versions)
    }

    /// Where a transaction is; nil where no checkpoint that the node knows has it.
    func status(of digest: [UInt8]) async throws(NodeError) -> SuiCheckpoint.Effects? {
        let data = try await graphQL.ask(
            "query($d: String!) { transaction(digest: $d) { digest effects { \(SuiCheckpoint.effects) "
                + "checkpoint { sequenceNumber digest } } } }",
            ["d": .string(Base58.encode(digest))]
        )
        guard let json = data["transaction"], json != .null else { return nil }
        guard try Self.hash(json["digest"], "digest") == digest else { throw .malformed("another transaction") }
        guard let checkpoint = json["effects"]?["checkpoint"], checkpoint != .null else { return nil }
        return try SuiCheckpoint.Effects(json["effects"], in: try Self.reference(checkpoint))
    }
}

extension SuiNode {
    /// A number from 0 to what 53 bits hold.
    static func integer(_ json: JSON?, _ what: String) throws(NodeError) -> Int64 {
        guard let value = json?.integerValue, (0..<(1 << 53)).contains(value) else { throw .malformed(what) }
        return Int64(value)
    }

    /// A number of 64 bits, which is written as text.
    static func number(_ json: JSON?, _ what: String) throws(NodeError) -> UInt64 {
        // As it is written, and in no other way: "+5" and "05" are no numbers here.
        guard let text = json?.stringValue, let value = UInt64(text), String(value) == text else {
            throw .malformed(what)
        }
        return value
    }

    /// 32 bytes in Base 58.
    static func hash(_ json: JSON?, _ what: String) throws(NodeError) -> [UInt8] {
        guard let hash = json?.stringValue.flatMap(Base58.decode), hash.count == 32 else { throw .malformed(what) }
        return hash
    }

    static func reference(_ json: JSON?) throws(NodeError) -> BlockReference {
        BlockReference(
            number: try integer(json?["sequenceNumber"], "checkpoint"),
            hash: try hash(json?["digest"], "digest")
        )
    }

    private static func object(_ json: JSON) throws(NodeError) -> SuiObjectReference {
        let reference = SuiObjectReference(
            id: try address(json["address"]),
            version: UInt64(try integer(json["version"], "version")),
            digest: try hash(json["digest"], "digest")
        )
        guard let reference else { throw .malformed("object") }
        return reference
    }

    static func address(_ json: JSON?) throws(NodeError) -> SuiAddress {
        guard let address = json?.stringValue.flatMap({ SuiAddress($0) }) else { throw .malformed("address") }
        return address
    }

    /// Where the next page begins; nil behind the last one.
    private static func next(_ connection: JSON?) throws(NodeError) -> JSON? {
        guard let page = connection?["pageInfo"], let isMore = page["hasNextPage"]?.boolValue else {
            throw .malformed("page")
        }
        guard isMore else { return nil }
        guard let cursor = page["endCursor"], cursor.stringValue != nil else { throw .malformed("cursor") }
        return cursor
    }
}

import Kernel
import OutboundHTTP
import Settings
import WalletCrypto

/// A network of Sui, followed checkpoint by checkpoint by one node or two: what is in one stays.
struct SuiChain: PaymentChain {
    /// The type of the chain's coin.
    static let coinType = "0x2::sui::SUI"

    let network: ChainNetwork
    let nodes: [SuiNode]
    /// The tokens that are assets here, by their types.
    let tokens: [(asset: Asset, type: String)]

    let confirmations: Int64 = 1
    let isFinal = true

    /// A network by the URLs of its nodes.
    ///
    /// - Throws: `TokenDeployment.Fault` for a token whose type is none.
    init(_ deployment: TokenDeployment, urls: [String], http: HTTPClient) throws(TokenDeployment.Fault) {
        precondition((1...2).contains(urls.count), "a chain has one or two nodes")
        nodes = urls.map { SuiNode(graphQL: GraphQL(http: JSONRPC(url: $0, http: http))) }
        network = deployment.network
        var tokens: [(Asset, String)] = []
        for token in deployment.tokens {
            guard let type = Self.full(token.name) else { throw .malformed("tokens/\(token.asset.code)") }
            tokens.append((token.asset, type))
        }
        self.tokens = tokens
    }

    /// The one that nodes are configured for; nil for none.
    ///
    /// - Throws: `TokenDeployment.Fault`.
    init?(_ settings: Settings.TokenChain, http: HTTPClient) throws {
        guard let deployment = try TokenDeployment(settings, .sui) else { return nil }
        try self.init(deployment, urls: settings.nodes, http: http)
    }

    var assets: [Asset] { [.sui] + tokens.map(\.asset) }
    var types: [String] { [Self.coinType] + tokens.map(\.type) }

    /// What is asked where one answer is enough.
    var first: SuiNode { nodes[0] }

    /// One version of an object, as `UnsignedPayment.inputs` has it.
    static func item(_ object: SuiAddress, _ version: UInt64) -> String { "\(object):\(version)" }

    /// A type of coin with all digits of its package; nil for what is none.
    static func full(_ type: String) -> String? {
        let parts = type.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[1].isEmpty, parts[3].isEmpty, parts[0].hasPrefix("0x"),
            (3...66).contains(parts[0].utf8.count)
        else { return nil }
        let digits = parts[0].dropFirst(2)
        let isName: (Substring) -> Bool = { name in
            !name.isEmpty && name.utf8.count <= 128
                && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        }
        let package = "0x" + String(repeating: "0", count: 64 - digits.count) + digits
        guard SuiAddress(package)?.description == package.lowercased(), isName(parts[2]), isName(parts[4]) else {
            return nil
        }
        return "\(package.lowercased())::\(parts[2])::\(parts[4])"
    }

    // MARK: Following

    func head() async throws(NodeError) -> Int64 {
        var head = Int64.max
        for node in nodes {
            let known = try await node.head()
            // Each local network has a genesis of its own.
            guard Self.identifiers[network.id.reference].map({ $0 == known.chain }) ?? true else {
                throw .malformed("another network")
            }
            head = min(head, known.checkpoint.number)
        }
        return head
    }

    // The first four bytes of the genesis checkpoint's digest (docs.sui.io, `chainIdentifier`).
    private static let identifiers = ["mainnet": "35834a8a", "testnet": "4c78adac"]

    func reference(at number: Int64) async throws(NodeError) -> BlockReference? {
        let known = try await first.reference(at: number)
        for node in nodes.dropFirst() where try await node.reference(at: number) != known {
            throw .disagreement("checkpoint \(number)")
        }
        return known
    }

    func block(after number: Int64?) async throws(NodeError) -> PaymentBlock? {
        let next: Int64
        if let number { next = number + 1 } else { next = try await head() }
        guard let checkpoint = try await first.checkpoint(next) else { return nil }
        var block = payments(in: checkpoint)
        for node in nodes.dropFirst() {
            guard let other = try await node.checkpoint(next) else { throw .disagreement("checkpoint \(next)") }
            block = try block.agreed(with: payments(in: other))
        }
        return block
    }

    /// A checkpoint as payments see it: the assets that are known here.
    private func payments(in checkpoint: SuiCheckpoint) -> PaymentBlock {
        let known = Dictionary(zip(types.map { Self.full($0) ?? $0 }, assets)) { first, _ in first }
        return PaymentBlock(
            reference: checkpoint.reference,
            parentHash: checkpoint.parentHash,
            timestamp: checkpoint.timestamp,
            entries: checkpoint.entries.map { entry in
                PaymentBlock.Entry(
                    id: entry.digest,
                    succeeded: entry.effects.succeeded,
                    fee: max(0, entry.effects.fee),
                    moves: entry.moves.compactMap { move in
                        Self.full(move.type).flatMap { known[$0] }.map {
                            PaymentBlock.Move(address: move.address.description, asset: $0, amount: move.units)
                        }
                    },
                    spends: entry.spends
                )
            }
        )
    }

    func reading(of addresses: [String]) async throws -> AccountReading {
        var newest = try await first.head().checkpoint
        // Of the newest that all have all can be asked.
        for node in nodes.dropFirst() {
            let other = try await node.head().checkpoint
            if other.number < newest.number { newest = other }
        }
        return try await reading(of: addresses, at: newest)
    }

    func reading(of addresses: [String], after block: PaymentBlock) async throws -> AccountReading {
        try await reading(of: addresses, at: block.reference)
    }

    private func reading(of addresses: [String], at checkpoint: BlockReference) async throws -> AccountReading {
        var owners: [SuiAddress] = []
        for address in addresses {
            guard let owner = SuiAddress(address) else { throw NodeError.malformed("address") }
            owners.append(owner)
        }
        let balances = try await first.balances(of: owners, types: types, at: checkpoint.number)
        for node in nodes.dropFirst()
        where try await node.balances(of: owners, types: types, at: checkpoint.number) != balances {
            throw NodeError.disagreement("balances at checkpoint \(checkpoint.number)")
        }
        guard let balances else { throw NodeError.disagreement("balances at checkpoint \(checkpoint.number)") }
        var read: [String: [Money]] = [:]
        for (owner, units) in zip(owners, balances) {
            read[owner.description] = zip(assets, units).map { Money(minorUnits: Int128($1), $0) }
        }
        return AccountReading(block: checkpoint, balances: read)
    }

    // MARK: Sending

    func send(_ signed: SignedTransaction) async -> Reception {
        guard let payment = try? SignedSuiPayment(signed.raw) else { return .refused("not readable any more") }
        var reception = await first.execute(payment)
        for node in nodes.dropFirst() where reception != .accepted { reception = await node.execute(payment) }
        return reception
    }

    /// What is executed and in no checkpoint yet is unknown: sending it again says that it is.
    func status(of id: [UInt8]) async throws(NodeError) -> PaymentStatus {
        var known: [SuiCheckpoint.Effects] = []
        for node in nodes {
            if let effects = try await node.status(of: id) { known.append(effects) }
        }
        guard let effects = known.first else { return .unknown }
        guard known.count == nodes.count else { return .pending }
        guard Set(known).count == 1 else { throw .disagreement("a transaction's effects") }
        return .included(effects.checkpoint, succeeded: effects.succeeded, fee: max(0, effects.fee))
    }

    /// As long as its epoch lasts and its objects are in the versions that it names; the node's epoch is that of the
    /// same answer, however far the chain is followed.
    func outlook(of payment: UnsignedPayment) async throws(NodeError) -> PaymentOutlook {
        guard let built = Self.built(payment) else { throw .malformed("payment") }
        let used = built.gas.payment + built.coins
        var said: [PaymentOutlook] = []
        for node in nodes {
            let there = try await node.objects(used.map(\.id))
            if there.epoch > built.lastEpoch {
                said.append(.late)
            } else {
                said.append(there.versions == used.map { UInt64?.some($0.version) } ? .open : .spent)
            }
        }
        return PaymentOutlook(said)
    }
}

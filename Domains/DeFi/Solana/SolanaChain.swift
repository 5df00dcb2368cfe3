import Kernel
import OutboundHTTP
import Settings
import WalletCrypto

/// A cluster of Solana, followed by one node or two.
///
/// It is followed where it is final, some 13 seconds behind: nothing that is followed is taken back. With two nodes,
/// what they don't say alike holds everything that hangs on it.
struct SolanaChain: PaymentChain {
    let network: ChainNetwork
    let nodes: [SolanaNode]
    /// The tokens that are assets here, by their mints.
    let tokens: [(asset: Asset, mint: SolanaAddress)]
    /// The custodian's account; nil where coins aren't kept for customers.
    let custody: String?

    let confirmations: Int64 = 1
    let isFinal = true

    /// A cluster by the URLs of its nodes.
    ///
    /// - Throws: `TokenDeployment.Fault` for a token whose mint is no address.
    init(_ deployment: TokenDeployment, urls: [String], http: HTTPClient) throws(TokenDeployment.Fault) {
        precondition((1...2).contains(urls.count), "a chain has one or two nodes")
        nodes = urls.map { SolanaNode(rpc: JSONRPC(url: $0, http: http)) }
        (network, custody) = (deployment.network, deployment.custody)
        var tokens: [(Asset, SolanaAddress)] = []
        for token in deployment.tokens {
            guard let mint = SolanaAddress(token.name) else { throw .malformed("tokens/\(token.asset.code)") }
            tokens.append((token.asset, mint))
        }
        self.tokens = tokens
    }

    /// The one that nodes are configured for; nil for none.
    ///
    /// - Throws: `TokenDeployment.Fault`.
    init?(_ settings: Settings.TokenChain, http: HTTPClient) throws {
        guard let deployment = try TokenDeployment(settings, .solana) else { return nil }
        try self.init(deployment, urls: settings.nodes, http: http)
    }

    var assets: [Asset] { [.sol] + tokens.map(\.asset) }

    /// What is asked where one answer is enough.
    var first: SolanaNode { nodes[0] }

    func custodian() throws(CustodianFault) -> HouseCustodian? {
        guard let custody else { return nil }
        guard network.kind == .local, let account = network.normalizedAddress(custody) else {
            throw CustodianFault(chain: name, account: custody)
        }
        return SolanaNodeCustodian(account: account, node: first)
    }

    // MARK: Following

    func head() async throws(NodeError) -> Int64 {
        var head = Int64.max
        for node in nodes {
            guard try await node.genesis() == network.id.reference else { throw .malformed("another cluster") }
            head = min(head, try await node.slot(.finalized))
        }
        return head
    }

    func reference(at number: Int64) async throws(NodeError) -> BlockReference? {
        let known = try await first.block(number, details: .none)?.reference
        for node in nodes.dropFirst() where try await node.block(number, details: .none)?.reference != known {
            throw .disagreement("slot \(number)")
        }
        return known
    }

    func block(after number: Int64?) async throws(NodeError) -> PaymentBlock? {
        let next: Int64?
        if let number {
            next = try await first.slot(after: number)
        } else {
            next = try await first.slot(.finalized)
        }
        guard let next, let known = try await first.block(next, details: .accounts) else { return nil }
        var block = payments(in: known)
        for node in nodes.dropFirst() {
            guard let other = try await node.block(next, details: .accounts) else {
                throw .disagreement("slot \(next)")
            }
            block = try block.agreed(with: payments(in: other))
        }
        return block
    }

    /// A block as payments see it: the assets that are known here.
    private func payments(in block: SolanaBlock) -> PaymentBlock {
        let entries = block.entries.map { entry in
            let coins = entry.lamports.map { PaymentBlock.Move(address: $0.description, asset: .sol, amount: $1) }
            let others = entry.units.flatMap { owner, units in
                tokens.compactMap { token in
                    units[token.mint].map {
                        PaymentBlock.Move(address: owner.description, asset: token.asset, amount: $0)
                    }
                }
            }
            return PaymentBlock.Entry(
                id: entry.signature,
                succeeded: entry.succeeded,
                fee: entry.fee,
                moves: coins + others
            )
        }
        return PaymentBlock(
            reference: block.reference,
            parentHash: block.parentHash,
            timestamp: block.timestamp,
            entries: entries
        )
    }

    func reading(of addresses: [String]) async throws -> AccountReading {
        let (slot, balances) = try await holdings(of: addresses)
        guard let block = try await reference(at: slot) else { throw NodeError.malformed("a slot without a block") }
        return AccountReading(block: block, balances: balances)
    }

    func reading(of addresses: [String], after block: PaymentBlock) async throws -> AccountReading {
        let (slot, balances) = try await holdings(of: addresses)
        // A node that is behind would say what was before.
        guard slot >= block.number else { throw NodeError.disagreement("balances before slot \(block.number)") }
        return AccountReading(block: block.reference, balances: balances)
    }

    private func holdings(
        of addresses: [String]
    ) async throws(NodeError) -> (slot: Int64, balances: [String: [Money]]) {
        var owners: [SolanaAddress] = []
        for address in addresses {
            guard let owner = SolanaAddress(address) else { throw .malformed("address") }
            owners.append(owner)
        }
        let held = try await first.holdings(of: owners, mints: tokens.map(\.mint))
        var slot = held.slot
        for node in nodes.dropFirst() {
            let other = try await node.holdings(of: owners, mints: tokens.map(\.mint))
            guard other.lamports == held.lamports, other.units == held.units else {
                throw .disagreement("what accounts have")
            }
            slot = min(slot, other.slot)
        }
        var balances: [String: [Money]] = [:]
        for owner in owners {
            let units = held.units[owner] ?? [:]
            balances[owner.description] =
                [Money(minorUnits: held.lamports[owner] ?? 0, .sol)]
                + tokens.map { Money(minorUnits: units[$0.mint] ?? 0, $0.asset) }
        }
        return (slot, balances)
    }

    // MARK: Sending

    func send(_ signed: SignedTransaction) async -> Reception {
        var reception = await first.send(signed.raw, named: signed.hash)
        for node in nodes.dropFirst() {
            let other = await node.send(signed.raw, named: signed.hash)
            if other == .accepted { reception = other }
        }
        return reception
    }

    func status(of id: [UInt8]) async throws(NodeError) -> PaymentStatus {
        var standings: [SolanaNode.Standing?] = []
        for node in nodes { standings.append(try await node.standing(of: id)) }
        let known = standings.compactMap(\.self)
        guard let standing = known.first else { return .unknown }
        // What one node calls final is waited for until all do.
        guard known.count == nodes.count, known.allSatisfy(\.isFinal) else { return .pending }
        guard Set(known).count == 1 else { throw .disagreement("a transaction's slot") }
        var fees: Set<Int128?> = []
        for node in nodes { fees.insert(try await node.fee(of: id)) }
        guard fees.count == 1 else { throw .disagreement("a transaction's fee") }
        guard let block = try await reference(at: standing.slot), let fee = fees.first ?? nil else {
            throw .malformed("a final transaction without its block")
        }
        return .included(block, succeeded: standing.succeeded, fee: fee)
    }

    /// Until the last block that may have it is final: before, a fork may still bring it.
    func outlook(of payment: UnsignedPayment) async throws(NodeError) -> PaymentOutlook {
        guard let last = payment.details[Self.lastHeight]?.integerValue else { throw .malformed("details") }
        var said: [PaymentOutlook] = []
        for node in nodes { said.append(try await node.height(.finalized) <= Int64(last) ? .open : .late) }
        return PaymentOutlook(said)
    }
}

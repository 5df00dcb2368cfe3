import Cryptography
import DomainKit
import Kernel
import OutboundHTTP
import PostgreSQL
import Settings
import WalletCrypto

/// Bitcoin, as payments from users' own wallets need it.
struct BitcoinChain: PaymentChain {
    /// Satoshi for 1,000 virtual bytes at most.
    let feeRateMax: Int64
    let network: ChainNetwork
    let assets = [Asset.btc]
    let confirmations: Int64
    let isFinal = false
    /// One or two; what decides about money is asked of both.
    let nodes: [BitcoinNode]
    let coins: Coins
    /// The custodian's address; nil where bitcoin isn't kept for customers.
    let custody: String?

    init(
        nodes: [BitcoinNode],
        network: ChainNetwork,
        confirmations: Int,
        feeCeiling: Int,
        custody: String? = nil,
        _ runtime: DomainRuntime
    ) {
        precondition((1...2).contains(nodes.count) && confirmations >= 1, "one or two nodes, a confirmation")
        (self.nodes, self.network, self.confirmations) = (nodes, network, Int64(confirmations))
        feeRateMax = Int64(feeCeiling) * 1_000
        self.custody = custody
        coins = Coins(schema: runtime.schema, pool: runtime.pool, chain: network.id.description)
    }

    /// The chain that settings name; nil where it isn't followed.
    init?(_ settings: Settings.Bitcoin, _ runtime: DomainRuntime, http: HTTPClient) {
        let kind: ChainNetwork.Kind =
            switch settings.network {
            case .mainnet: .mainnet
            case .testnet: .testnet
            case .local: .local
            }
        let network = ChainNetwork.all.first { $0.chain == .bitcoin && $0.kind == kind }
        guard !settings.nodes.isEmpty, let network else { return nil }
        let proof = settings.credentials.map { Base64.encode(Array($0.reveal().utf8)) }
        let headers = proof.map { [OutboundHeader("Authorization", "Basic \($0)")] } ?? []
        self.init(
            nodes: settings.nodes.map { BitcoinNode(url: $0, http: http, headers: headers, network) },
            network: network,
            confirmations: settings.confirmations,
            feeCeiling: settings.feeCeiling,
            custody: settings.custody,
            runtime
        )
    }

    /// What is asked where one answer is enough.
    var first: BitcoinNode { nodes[0] }

    func custodian() throws(CustodianFault) -> HouseCustodian? {
        guard let custody else { return nil }
        guard network.kind == .local, let account = network.normalizedAddress(custody) else {
            throw CustodianFault(chain: name, account: custody)
        }
        return BitcoinNodeCustodian(account: account, node: first)
    }

    // MARK: Following

    func head() async throws(NodeError) -> Int64 {
        var head = Int64.max
        for node in nodes { head = min(head, try await node.head()) }
        return head
    }

    func reference(at number: Int64) async throws(NodeError) -> BlockReference? {
        let hash = try await first.hash(at: number)
        for node in nodes.dropFirst() where hash != nil {
            guard try await node.hash(at: number) == hash else { throw .disagreement("block \(number)") }
        }
        return hash.map { BlockReference(number: number, hash: $0) }
    }

    func block(after number: Int64?) async throws(NodeError) -> PaymentBlock? {
        let next: Int64
        if let number { next = number + 1 } else { next = try await head() }
        guard let reference = try await reference(at: next) else { return nil }
        var block = try await first.block(reference.hash)
        for node in nodes.dropFirst() { block = try block.agreed(with: try await node.block(reference.hash)) }
        return block
    }

    func reading(of addresses: [String]) async throws -> AccountReading {
        let (block, found) = try await scan(addresses)
        var sums: [String: Int128] = [:]
        for (_, coin) in found { sums[coin.address, default: 0] += coin.amount }
        let row = CoinsRow(chain: name, anew: addresses, made: found.map { (number: $0.0, coin: $0.1) })
        return AccountReading(block: block, balances: Self.balances(sums), rows: [row])
    }

    func reading(of addresses: [String], after block: PaymentBlock) async throws -> AccountReading {
        let wanted = Set(addresses)
        let spent = Set(block.entries.flatMap(\.spends))
        let made = block.entries.flatMap(\.makes).filter { wanted.contains($0.address) && !spent.contains($0.item) }
        var sums = try await coins.sums(of: addresses, besides: Array(spent))
        for coin in made { sums[coin.address, default: 0] += coin.amount }
        let row = CoinsRow(chain: name, spent: Array(spent), made: made.map { (number: block.number, coin: $0) })
        return AccountReading(block: block.reference, balances: Self.balances(sums), rows: [row])
    }

    /// All that addresses can spend, with the heights that it is from, by the word of all nodes; and as of which block.
    ///
    /// - Throws: `disagreement`.
    func scan(
        _ addresses: [String]
    ) async throws(NodeError) -> (block: BlockReference, coins: [(Int64, PaymentBlock.Coin)]) {
        func places(_ coins: [(Int64, PaymentBlock.Coin)]) -> [PaymentBlock.Coin: Int64] {
            Dictionary(coins.map { ($1, $0) }) { first, _ in first }
        }
        let found = try await first.scan(addresses)
        for node in nodes.dropFirst() {
            let other = try await node.scan(addresses)
            guard other.block == found.block, places(other.coins) == places(found.coins) else {
                throw .disagreement("what addresses have")
            }
        }
        return found
    }

    func forgetting(_ addresses: [String]) -> [any StoredRow] { [CoinsRow(chain: name, anew: addresses)] }

    private static func balances(_ sums: [String: Int128]) -> [String: [Money]] {
        sums.mapValues { [Money(minorUnits: $0, .btc)] }
    }

    // MARK: Sending

    func send(_ signed: SignedTransaction) async -> Reception {
        var reception = await first.send(signed.raw)
        for node in nodes.dropFirst() {
            let other = await node.send(signed.raw)
            if other == .accepted { reception = other }
        }
        return reception
    }

    func status(of id: [UInt8]) async throws(NodeError) -> PaymentStatus {
        var statuses: Set<PaymentStatus> = []
        for node in nodes { statuses.insert(try await node.status(of: id)) }
        if let only = statuses.first, statuses.count == 1 { return only }
        // One of them has not heard of it yet, or not of its block.
        guard statuses.isDisjoint(with: [.unknown, .pending]) else { return .pending }
        throw .disagreement("the block of a payment")
    }

    func outlook(of payment: UnsignedPayment) async throws(NodeError) -> PaymentOutlook {
        var said: [PaymentOutlook] = []
        for node in nodes { said.append(try await node.areSpendable(payment.inputs) ? .open : .spent) }
        return PaymentOutlook(said)
    }

    func read(
        _ returned: ReturnedPayment,
        for payment: UnsignedPayment,
        of order: PaymentOrder
    ) throws(PaymentFault) -> SignedTransaction {
        try BitcoinSubmission.read(returned.transaction, for: payment)
    }
}

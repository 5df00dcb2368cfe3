import Foundation
import Kernel
import WalletCrypto

/// What is where on one chain: its tokens, and the protocols that are offered.
struct Deployment: Hashable, Sendable {
    /// Why a file is no deployment.
    enum Fault: Error, Hashable, Sendable {
        case unreadable(path: String)
        case malformed(String)
    }

    /// A protocol's contract for an asset.
    struct Offer: Hashable, Sendable {
        /// Names it in the API: `aave-usdc`.
        let id: String
        let description: ProtocolDescription
        let asset: Asset
        /// The other token of a pair.
        let pair: Token?
        let contract: EthereumAddress
        /// The token that stands for the position; often the contract itself.
        let receipt: EthereumAddress
        /// The other contracts of the protocol.
        let others: [ProtocolDescription.Place: EthereumAddress]
        /// What rewards are paid in; nil where there are none.
        let rewardToken: Token?
        /// Where a pair's liquidity works.
        let range: Range?

        /// One of its contracts; nil where it has none there.
        func address(_ place: ProtocolDescription.Place) -> EthereumAddress? {
            switch place {
            case .contract: contract
            case .receipt: receipt
            case .pool, .queue, .rewards: others[place]
            }
        }

        /// What it takes to take rewards: nil where none are paid.
        var harvest: ProtocolDescription.Step? {
            description.harvest.flatMap { address($0.to) == nil ? nil : $0 }
        }
    }

    /// The ticks between which a pair's liquidity works, and the pair's fee in millionths.
    struct Range: Hashable, Sendable {
        let lower: Int
        let upper: Int
        let fee: Int
        let prices: LiquidityRange
    }

    /// A token's contract.
    struct Token: Hashable, Sendable {
        /// `USDC`.
        let symbol: String
        let contract: EthereumAddress
    }

    /// The chain (EIP-155).
    let chainID: UInt64
    let tokens: [Token]
    let offers: [Offer]
    /// The custodian's account; nil where crypto isn't kept for customers.
    let custody: EthereumAddress?

    /// CAIP-2: `eip155:1`.
    var chain: String { "eip155:\(chainID)" }

    func token(_ asset: Asset) -> EthereumAddress? { tokens.first { $0.symbol == asset.code }?.contract }
    func offer(_ id: String) -> Offer? { offers.first { $0.id == id } }

    /// Contracts whose events tell that a position or a wallet may have changed.
    var watched: [EthereumAddress] {
        Array(Set(tokens.map(\.contract) + offers.flatMap { [$0.contract, $0.receipt] + $0.others.values }))
    }

    /// Reads the file that `DIBOAS_ETHEREUM_DEPLOYMENT` names.
    init(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else { throw Fault.unreadable(path: path) }
        try self.init(try JSON.parse(Array(data)))
    }

    init(_ json: JSON) throws(Fault) {
        guard let parts = json["chain"]?.stringValue?.split(separator: ":"), parts.count == 2, parts[0] == "eip155",
            let chainID = UInt64(parts[1]), EthereumTransaction.chainIDs.contains(chainID)
        else { throw .malformed("chain") }
        guard case .object(let members)? = json["tokens"] else { throw .malformed("tokens") }
        var tokens: [Token] = []
        for member in members {
            guard let contract = member.value.stringValue.flatMap(EthereumAddress.init(_:)) else {
                throw .malformed("tokens/\(member.name)")
            }
            tokens.append(Token(symbol: member.name, contract: contract))
        }
        var offers: [Offer] = []
        for offer in json["protocols"]?.elements ?? [] { offers.append(try Self.offer(offer, tokens)) }
        guard Set(offers.map(\.id)).count == offers.count else { throw .malformed("protocols: an id twice") }
        var custody: EthereumAddress?
        if let text = json["custody"]?.stringValue {
            guard let account = EthereumAddress(text) else { throw .malformed("custody") }
            custody = account
        }
        (self.chainID, self.tokens, self.offers, self.custody) = (chainID, tokens, offers, custody)
    }

    private static func offer(_ json: JSON, _ tokens: [Token]) throws(Fault) -> Offer {
        let id = json["id"]?.stringValue ?? ""
        guard (1...60).contains(id.utf8.count),
            let description = json["protocol"]?.stringValue.flatMap({ ProtocolDescription.named($0) }),
            let asset = json["asset"]?.stringValue.flatMap({ Asset(code: $0) }),
            let contract = json["contract"]?.stringValue.flatMap(EthereumAddress.init(_:)),
            let receipt = json["receipt"]?.stringValue.flatMap(EthereumAddress.init(_:))
        else { throw .malformed("protocols/\(id)") }
        func token(_ name: String) -> Token? {
            json[name]?.stringValue.flatMap { symbol in tokens.first { $0.symbol == symbol } }
        }
        let pair = token("pair")
        guard description.isPair == (pair != nil) else { throw .malformed("protocols/\(id)/pair") }
        var others: [ProtocolDescription.Place: EthereumAddress] = [:]
        for place in [ProtocolDescription.Place.pool, .queue, .rewards] where json[place.rawValue] != nil {
            guard let address = json[place.rawValue]?.stringValue.flatMap(EthereumAddress.init(_:)) else {
                throw .malformed("protocols/\(id)/\(place.rawValue)")
            }
            others[place] = address
        }
        let offer = Offer(
            id: id,
            description: description,
            asset: asset,
            pair: pair,
            contract: contract,
            receipt: receipt,
            others: others,
            rewardToken: token("reward_token"),
            range: description.isPair ? try range(json, id) : nil
        )
        for place in description.places where offer.address(place) == nil {
            throw .malformed("protocols/\(id)/\(place.rawValue)")
        }
        guard (others[.rewards] == nil) == (offer.rewardToken == nil) else {
            throw .malformed("protocols/\(id)/reward_token")
        }
        return offer
    }

    private static func range(_ json: JSON, _ id: String) throws(Fault) -> Range {
        guard let lower = json["tick_lower"]?.integerValue, let upper = json["tick_upper"]?.integerValue,
            let prices = LiquidityRange(from: lower, to: upper)
        else { throw .malformed("protocols/\(id)/tick_lower") }
        guard let fee = json["fee"]?.integerValue, (1..<1_000_000).contains(fee) else {
            throw .malformed("protocols/\(id)/fee")
        }
        return Range(lower: lower, upper: upper, fee: fee, prices: prices)
    }
}

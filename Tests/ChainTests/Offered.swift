import Kernel
import Testing
import WalletCrypto

@testable import DeFi

/// The offers of the local chain, and what only there can be done to them.
enum Offered: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case aave = "aave-usdc"
    case compound = "compound-usdc"
    case vault = "vault-usdc"
    case lido
    case pair = "uniswap-usdc-weth"
    case narrowPair = "uniswap-usdc-weth-narrow"

    static let pairs = [pair, narrowPair]
    /// Those that somebody can stop.
    static let pausable = [aave, compound, vault, lido]

    var testDescription: String { rawValue }
    var isPair: Bool { Self.pairs.contains(self) }
    var asset: Asset { self == .lido ? .eth : .usdc }
    /// What is put in.
    var amount: String { self == .lido ? "2" : "3000" }
    var more: [JSON.Member] { isPair ? [.init("pair_amount", "1000000000000000000")] : [] }
}

extension ChainWorld {
    /// Starts one with its usual amount, and waits until it is final.
    func started(_ offer: Offered, by person: Person, _ more: [JSON.Member] = []) async throws -> Strategy {
        let started = try await start(offer.rawValue, offer.amount, by: person, offer.more + more)
        try await finalise()
        try await settle()
        return try await strategy(started.id, of: person)
    }

    /// One block more: what became final in the last one is valued.
    func settle() async throws {
        try await dev.mine()
        try await follow()
    }

    func offer(_ offer: Offered) throws -> Deployment.Offer {
        try #require(chain.deployment.offer(offer.rawValue))
    }

    /// Gives a position its yield: what its protocol earns in a year.
    func earn(_ offer: Offered, _ strategy: Strategy) async throws {
        try await yield(offer)
        if offer.isPair {
            try await fees(of: strategy, usdc: 10_000_000, wei: BigUInt(2) * BigUInt.powerOfTen(15))
        }
        // Nothing happened to the wallet itself.
        try await dev.mine(Int(StrategyWatch.blocksMax))
        try await follow()
    }

    /// Lets a protocol earn without a look at it: by time, or by what somebody pays into it.
    func yield(_ offer: Offered) async throws {
        let contract = try self.offer(offer).contract
        switch offer {
        case .vault:
            let token = try #require(chain.deployment.token(.usdc))
            try await dev.send("mint(address,uint256)", [.address(contract), .uint(BigUInt(150_000_000))], to: token)
        case .lido: try await dev.send("reportRewards()", [], to: contract, value: BigUInt.powerOfTen(17))
        case .pair, .narrowPair: break
        case .aave, .compound: try await dev.pass(seconds: 31_536_000)
        }
    }

    /// Pays fees into a pair's position.
    func fees(of strategy: Strategy, usdc: Int, wei: BigUInt) async throws {
        let contract = try #require(chain.deployment.offer(strategy.offer)).contract
        for symbol in ["USDC", "WETH"] {
            let token = try #require(chain.deployment.tokens.first { $0.symbol == symbol }?.contract)
            let most = max(BigUInt(usdc), wei)
            try await dev.send("approve(address,uint256)", [.address(contract), .uint(most)], to: token)
        }
        let position = try #require(strategy.token)
        try await dev.send(
            "accrueFees(uint256,uint128,uint128)",
            [.uint(position), .uint(BigUInt(usdc)), .uint(wei)],
            to: contract
        )
    }

    /// Makes a WETH worth so many USDC.
    func setPrice(_ usdc: Int) async throws {
        let ratio = BigUInt.powerOfTen(18) * BigUInt(bigEndian: [1] + [UInt8](repeating: 0, count: 24))
        let root = (ratio / (BigUInt(usdc) * BigUInt.powerOfTen(6))).squareRoot
        try await dev.send("setPrice(uint256)", [.uint(root)], to: try offer(.pair).contract)
    }

    func pause(_ offer: Offered, _ isPaused: Bool) async throws {
        let described = try self.offer(offer)
        switch offer {
        case .compound:
            let flags = (0..<5).map { _ in ABIValue.bool(isPaused) }
            try await dev.send("pause(bool,bool,bool,bool,bool)", flags, to: described.contract)
        case .lido:
            let queue = try #require(described.address(.queue))
            try await dev.send("setPaused(bool)", [.bool(isPaused)], to: queue)
            try await dev.send("setPaused(bool)", [.bool(isPaused)], to: described.contract)
        default: try await dev.send("setPaused(bool)", [.bool(isPaused)], to: described.contract)
        }
    }

    /// Lets what waits in a queue come through, and takes it; nothing for those that have none.
    func claim(_ offer: Offered, _ strategy: Strategy, by person: Person) async throws {
        guard let queue = try self.offer(offer).address(.queue) else { return }
        try await dev.send("finalizeAll()", [], to: queue)
        let path = "/v1/defi/strategies/\(strategy.id.wire)/harvest"
        _ = try await signAll(try await ask("POST", path, by: person, [:]), by: person)
        try await finalise()
    }

    /// What a wallet has of an offer's asset on the chain.
    func wealth(_ offer: Offered, of person: Person) async throws -> Int128 {
        guard offer.asset == .eth else { return try await tokens(offer.asset, of: person.address) }
        return Int128(clamping: try await chain.nodes.first.balance(of: person.address))
    }

    func refusal(_ path: String, by person: Person, _ body: JSON = [:]) async throws -> String? {
        let answer = try await ask("POST", path, by: person, body)
        #expect(answer.status >= 400, "\(answer.json)")
        return answer.json["code"]?.stringValue
    }
}

import Kernel
import Testing
import WalletCrypto

@testable import DeFi

/// What positions are worth and yield, against references of their own.
@Suite(.serialized)
struct PairValueTests {
    /// Amounts are whole units of 10^-6 USDC, so that so much of a difference is rounding.
    private static let tolerance = BigUInt.powerOfTen(10)

    @Test(arguments: Offered.pairs, [2_400, 2_950, 3_000, 3_300, 4_800])
    func `impermanent loss is what the formula says of the prices`(offer: Offered, price: Int) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(offer, by: ada)
            try await world.setPrice(price)
            // Fees are no part of it.
            try await world.fees(of: strategy, usdc: 5_000_000, wei: BigUInt.powerOfTen(15))
            try await world.dev.mine(Int(StrategyWatch.blocksMax))
            try await world.follow()
            let found = try await world.strategy(strategy.id, of: ada)
            let loss = try #require(found.value?.impermanentLoss)
            // Units of WETH for one of USDC; the range is from 1.0001^194160 to 1.0001^198060 of them.
            func units(_ usdc: Int) throws -> Fixed18 {
                let scaled = BigUInt.powerOfTen(30) / BigUInt(usdc)
                return Fixed18(scaled: BigInt(scaled))
            }
            let reference: Fixed18?
            if offer == .pair {
                let ratio = BigUInt(3_000) * BigUInt.powerOfTen(18) / BigUInt(price)
                reference = ImpermanentLoss.constantProduct(priceRatio: Fixed18(scaled: BigInt(ratio)))
            } else {
                reference =
                    ImpermanentLoss.range(
                        entryPrice: try units(3_000),
                        lower: try #require(Fixed18("270296284.338066329432836062")),
                        upper: try #require(Fixed18("399214636.382805281590015753")),
                        price: try units(price)
                    )?.loss
            }
            let expected = try #require(reference)
            let (one, other) = (loss.scaled.magnitude, expected.scaled.magnitude)
            #expect((one > other ? one - other : other - one) < Self.tolerance, "\(loss) is not \(expected)")
            #expect(price == 3_000 || loss.scaled.isNegative)
            // What it earned is what it lost so and what fees gave, against holding.
            #expect(found.earned != 0 || price == 3_000)
        }
    }

    @Test func `rates and rewards are the chain's own`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            _ = try await world.started(.compound, by: ada)
            try await world.dev.pass(seconds: 2 * Int(StrategyWatch.rateSeconds))
            try await world.follow()
            let answer = try await world.ask("GET", "/v1/defi/yields", by: ada)
            let offers = answer.json["data"]?.elements ?? []
            func rate(_ offer: Offered, _ name: String) -> String? {
                offers.first { $0["id"]?.stringValue == offer.rawValue }?[name]?.stringValue
            }
            #expect(rate(.aave, "apr_base") == "0.05")
            #expect(rate(.compound, "apr_base") == "0.039999999")
            // 10^-9 WETH a second at 3,000 USDC, over 3,000 USDC.
            let reward = try #require(rate(.compound, "apr_reward").flatMap { Fixed18($0) })
            let expected = BigUInt(31_536_000) * BigUInt.powerOfTen(9)
            let distance = max(reward.scaled.magnitude, expected) - min(reward.scaled.magnitude, expected)
            #expect(distance < BigUInt.powerOfTen(12), "\(reward)")
            #expect(rate(.aave, "apr_reward") == nil && rate(.vault, "apr_base") == nil)
        }
    }

    @Test func `a reorganisation takes back what its blocks made of a value`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada)
            try await world.earn(.vault, strategy)
            let before = try await world.strategy(strategy.id, of: ada)
            let vault = try world.offer(.vault).contract
            try await world.dev.send("reportLoss(uint256)", [.uint(BigUInt(500_000_000))], to: vault)
            try await world.dev.mine(Int(StrategyWatch.blocksMax) + 1)
            try await world.follow()
            let fallen = try await world.strategy(strategy.id, of: ada)
            #expect(fallen.drawdown > 100_000_000)
            try await world.dev.reorganise(depth: Int(StrategyWatch.blocksMax) + 2, keeping: false)
            try await world.follow()
            let after = try await world.strategy(strategy.id, of: ada)
            #expect(after.value?.amount == before.value?.amount && after.peak == before.peak)
            #expect(after.drawdown == before.drawdown)
            let block = try #require(after.value?.block)
            #expect(try await world.parts.follower.blocks.holds(block))
        }
    }
}

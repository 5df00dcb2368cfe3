import Kernel
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What pairs yield by the fees that their positions earn.
@Suite(.serialized)
struct PairFeesTests {
    private static let day = 86_400

    @Test func `a pair's rate is what its positions earned while they were looked at, and unknown before a day`()
        async throws
    {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.pair, by: ada)
            #expect(try await world.yields(.pair)["apr_base"] == .null)
            // 10 USDC and 0.002 WETH of 3,000 each, on 6,000.
            try await world.fees(of: strategy, usdc: 10_000_000, wei: BigUInt(2) * BigUInt.powerOfTen(15))
            try await world.look(after: Self.day / 2)
            #expect(try await world.yields(.pair)["apr_base"] == .null)
            #expect(try await world.strategy(strategy.id, of: ada).json["yield"]?["expected"] == .null)
            try await world.look(after: Self.day / 2 + 7_200)
            let yields = try await world.yields(.pair)
            let rate = try #require(yields["apr_base"]?.stringValue.flatMap { Fixed18($0) })
            // 16 of 6,000 to 6,016 in a day and two hours.
            let (low, high) = (try #require(Fixed18("0.88")), try #require(Fixed18("0.91")))
            let scaled = rate.scaled.magnitude
            #expect(low.scaled.magnitude < scaled && scaled < high.scaled.magnitude, "\(rate)")
            #expect(yields["apy_base"]?.stringValue != nil && yields["apy_reward"] == .null)
            #expect(try await world.yields(.narrowPair)["apr_base"] == .null)
            // What was collected was earned, and isn't earned again.
            let path = "/v1/defi/strategies/\(strategy.id.wire)/harvest"
            _ = try await world.signAll(try await world.ask("POST", path, by: ada, [:]), by: ada)
            let before = try await world.counted(strategy)
            try await world.finalise()
            try await world.look(after: 3_600)
            #expect(try await world.counted(strategy) == before)
            #expect(before == 16_000_000)
            // From now on something is expected.
            #expect(try await world.strategy(strategy.id, of: ada).json["yield"]?["expected"]?.stringValue != nil)
        }
    }

    @Test func `what blocks counted that the chain goes on without isn't counted`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.pair, by: ada)
            try await world.dev.mine(Int(StrategyWatch.blocksMax))
            try await world.follow()
            try await world.fees(of: strategy, usdc: 10_000_000, wei: .zero)
            try await world.dev.mine(Int(StrategyWatch.blocksMax))
            try await world.follow()
            #expect(try await world.counted(strategy) == 10_000_000)
            try await world.dev.reorganise(depth: Int(StrategyWatch.blocksMax) + 4, keeping: false)
            try await world.dev.mine(Int(StrategyWatch.blocksMax))
            try await world.follow()
            #expect(try await world.counted(strategy) == 0)
        }
    }

    @Test func `fees are what is owed more than before, and nothing where liquidity went`() throws {
        let price = try #require(PoolPrice(root: BigUInt(bigEndian: [1] + [UInt8](repeating: 0, count: 12))))
        func owed(_ units: Int, _ own: Int128, _ pair: Int128) -> PairFees {
            PairFees(units: BigUInt(units), owed: own, pairOwed: pair)
        }
        #expect(owed(10, 5, 7).earned(until: owed(10, 8, 9), at: price) == 5)
        #expect(owed(10, 5, 7).earned(until: owed(10, 5, 7), at: price) == 0)
        // Collected meanwhile, and something has come since.
        #expect(owed(10, 5, 7).earned(until: owed(10, 2, 0), at: price) == 2)
        #expect(owed(10, 5, 7).earned(until: owed(4, 60, 70), at: price) == 0)
    }

    @Test(
        arguments: [
            // A tenth of a thousandth in a day is 3.65 % a year.
            (100, 1_000_000 * 86_400, 1_000_000, 36_500_000), (0, 1_000_000 * 86_400, 1_000_000, 0),
            (100, 1_000_000 * 86_400 - 1, 1_000_000, nil), (100, 0, 0, nil), (100, 86_400, 0, 36_500_000_000_000),
        ] as [(Int128, Int128, Int128, Int64?)]
    )
    func `fees are a rate once all that is there was looked at for a day`(
        fees: Int128,
        worthSeconds: Int128,
        worth: Int128,
        rate: Int64?
    ) {
        #expect(OfferRate.yearly(fees: fees, over: worthSeconds, of: worth) == rate)
    }

    @Test func `a worth that lasts for long stays within what can be summed up`() {
        #expect(PairFees.lasting(5, seconds: 7) == 35)
        #expect(PairFees.lasting(5, seconds: -7) == 0)
        #expect(PairFees.lasting(Money.limit - 1, seconds: 1_000) == Money.limit - 1)
    }
}

extension ChainWorld {
    /// What the API says of an offer.
    fileprivate func yields(_ offer: Offered) async throws -> JSON {
        let person = Person(user: ids.next(), wallet: ids.next(), address: dev.address(1), signer: dev.signers[1])
        let answer = try await ask("GET", "/v1/defi/yields", by: person)
        return try #require(answer.json["data"]?.elements?.first { $0["id"]?.stringValue == offer.rawValue })
    }

    /// Lets so many seconds pass, has positions valued, and rates read after that.
    fileprivate func look(after seconds: Int) async throws {
        try await dev.pass(seconds: seconds)
        try await dev.mine(Int(StrategyWatch.blocksMax))
        try await follow()
        try await dev.pass(seconds: Int(StrategyWatch.rateSeconds))
        try await follow()
    }

    /// The fees that were counted of a position.
    fileprivate func counted(_ strategy: Strategy) async throws -> Int128 {
        try await pool.query("select fees from defi.strategies where id = \(strategy.id)")[0][0]
    }
}

import Kernel
import Testing
import WalletCrypto

@testable import DeFi

/// Vaults name no least amount in their calls: what they would give is asked before anything is sent.
@Suite(.serialized)
struct StrategyFloorTests {
    private static let path = "/v1/defi/strategies"

    @Test func `a start whose shares have become dearer than was promised isn't sent`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            // Somebody is in it already, so that what is given to the vault makes shares dearer.
            _ = try await world.started(.vault, by: try await world.person(2))
            let (approval, start) = try await built(Offered.vault.amount, by: ada, in: world)
            #expect(approval.floor == nil)
            let floor = try #require(start.floor)
            #expect(floor.asked == start.amount.minorUnits && floor.least > 0)
            #expect(start.json["least_received"] == .string(String(floor.least)))
            try await world.yield(.vault)
            #expect(try await world.submit(approval, by: ada).status == 202)
            let refused = try await world.submit(start, by: ada)
            #expect(refused.status == 422 && refused.json["code"] == "slippage_exceeded", "\(refused.json)")
            #expect(try await world.now(start).state == .built)
            // Discarded, and built anew at today's price, it goes through.
            let answer = try await world.ask("DELETE", "/v1/defi/intents/\(start.id.wire)", by: ada)
            #expect(answer.status == 200, "\(answer.json)")
            let strategy = try await world.started(.vault, by: ada)
            #expect(strategy.status == .active)
        }
    }

    @Test func `a start whose shares have become a little dearer is sent`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            _ = try await world.started(.vault, by: try await world.person(2))
            let (approval, start) = try await built(Offered.vault.amount, by: ada, in: world)
            // A hundredth of a percent.
            let vault = try world.offer(.vault).contract
            let token = try #require(world.chain.deployment.token(.usdc))
            try await world.dev.send(
                "mint(address,uint256)",
                [.address(vault), .uint(BigUInt(300_000))],
                to: token
            )
            for intent in [approval, start] { #expect(try await world.submit(intent, by: ada).status == 202) }
        }
    }

    @Test(arguments: [nil, "1000"] as [String?])
    func `an exit after a loss isn't sent at the price of before, and is at the price of now`(
        amount: String?
    ) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada)
            let stop = "\(Self.path)/\(strategy.id.wire)/stop"
            let body: JSON = amount.map { ["amount": .string($0)] } ?? [:]
            let answer = try await world.ask("POST", stop, by: ada, body)
            let exit = try await world.intent(try #require(answer.json["transactions"]?.elements?.first))
            let asked = try Money(wire: amount ?? Offered.vault.amount, .usdc).minorUnits
            let floor = try #require(exit.floor)
            #expect((asked * 995 / 1_000 - 2...asked).contains(floor.least), "\(floor)")
            let loss = ABIValue.uint(BigUInt(100_000_000))
            try await world.dev.send("reportLoss(uint256)", [loss], to: try world.offer(.vault).contract)
            let refused = try await world.submit(exit, by: ada)
            #expect(refused.status == 422 && refused.json["code"] == "slippage_exceeded", "\(refused.json)")
            // Its share of the principal stays with it until it is discarded.
            let again = try await world.ask("POST", stop, by: ada, [:])
            #expect(again.json["code"] == "strategy_leaving", "\(again.json)")
            _ = try await world.ask("DELETE", "/v1/defi/intents/\(exit.id.wire)", by: ada)
            try await world.stop(strategy.id, by: ada)
            try await world.finalise()
            try await world.settle()
            let left = try await world.strategy(strategy.id, of: ada)
            #expect(left.status == .stopped && left.principal == 0, "\(left)")
            #expect(try await world.deployed(left, by: ada) == 0)
        }
    }

    @Test func `what names its least amount itself, or gives what is asked, has no floor`() async throws {
        try await ChainWorld.with { world in
            for offer in Offered.allCases where offer != .vault {
                let calls = StrategyCalls(chain: world.chain)
                let floor = try await calls.floor(.entering, of: BigUInt(1_000_000), in: try world.offer(offer))
                #expect(floor == nil)
            }
        }
    }

    /// An approval and a start that wait for their signatures.
    private func built(
        _ amount: String,
        by person: ChainWorld.Person,
        in world: ChainWorld
    ) async throws -> (Intent, Intent) {
        let body: JSON = [
            "wallet": .string(person.wallet.wire), "offer": .string(Offered.vault.rawValue),
            "amount": .string(amount),
        ]
        let answer = try await world.ask("POST", Self.path, by: person, body)
        #expect(answer.status == 201, "\(answer.json)")
        let built = try #require(answer.json["transactions"]?.elements)
        #expect(built.count == 2)
        return (try await world.intent(built[0]), try await world.intent(built[1]))
    }
}

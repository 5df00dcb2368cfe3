import Kernel
import Randomness
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// People who pay each other at random while nodes fail and forks come: in the end the books say what the chain does.
@Suite struct PaymentFlowTests {
    private static let rounds = 20

    /// What a chain's test needs of it.
    private struct Chain: Sendable {
        let coin: Asset
        let fault: @Sendable (DevChain.Fault) async throws -> Void
        /// A little time, by a number that is random.
        let pass: @Sendable (Int) async throws -> Void
        let settle: @Sendable () async throws -> Void
        let held: @Sendable (Asset, String) async throws -> Int128
    }

    @Test(arguments: [1, 2] as [UInt64]) func `on Solana the books are the chain's`(_ seed: UInt64) async throws {
        try await SolanaDev.with { dev in
            try await PaymentWorld.with(try dev.followed()) { world in
                var random = SeededRandom(seed)
                let people = try await self.people(world, &random)
                for person in people {
                    try await dev.fund(person.address, 2_000_000_000)
                    try await dev.mint(50_000_000, to: person.address)
                }
                let chain = Chain(
                    coin: .sol,
                    fault: { try await dev.fault($0, on: "*") },
                    pass: { number in
                        switch number {
                        case 0: try await dev.finalise()
                        case 1: try await dev.fork(1, keeping: true)
                        case 2: try await dev.fork(1, keeping: false)
                        default: try await dev.warp(number)
                        }
                    },
                    settle: { try await dev.finalise() },
                    held: { asset, address in
                        asset == .sol ? try await dev.lamports(address) : try await dev.units(address)
                    }
                )
                try await self.flow(world, chain, people, &random)
            }
        }
    }

    @Test(arguments: [1, 2] as [UInt64]) func `on Sui the books are the chain's`(_ seed: UInt64) async throws {
        try await SuiDev.with { dev in
            try await PaymentWorld.with(try dev.followed()) { world in
                var random = SeededRandom(seed)
                let people = try await self.people(world, &random)
                for person in people {
                    for _ in 0..<4 {
                        try await dev.fund(person.address, 1_000_000_000)
                        try await dev.fund(person.address, 20_000_000, "USDC")
                    }
                }
                let sui = try dev.followed()
                let chain = Chain(
                    coin: .sui,
                    fault: { try await dev.fault($0, on: "*") },
                    pass: { number in
                        if number == 0 { try await dev.nextEpoch() }
                        if number < 6 { try await dev.checkpoint(1 + number % 3) }
                    },
                    settle: { try await dev.checkpoint(2) },
                    held: { asset, address in
                        let balances = try await sui.reading(of: [address]).balances[address] ?? []
                        return balances.first { $0.asset == asset }?.minorUnits ?? 0
                    }
                )
                try await self.flow(world, chain, people, &random)
            }
        }
    }

    private func people(
        _ world: PaymentWorld,
        _ random: inout SeededRandom
    ) async throws -> [PaymentWorld.Person] {
        var people: [PaymentWorld.Person] = []
        for _ in 0..<3 { people.append(try await world.person(&random)) }
        for one in people {
            for other in people where other.user != one.user { try await world.know(other.address, by: one) }
        }
        return people
    }

    private func flow(
        _ world: PaymentWorld,
        _ chain: Chain,
        _ people: [PaymentWorld.Person],
        _ random: inout SeededRandom
    ) async throws {
        try await chain.settle()
        try await world.follow()
        var payments: [Payment] = []
        for _ in 0..<Self.rounds {
            let one = people[Int.random(in: 0..<3, using: &random)]
            let other = people.filter { $0.user != one.user }[Int.random(in: 0..<2, using: &random)]
            let asset = Bool.random(using: &random) ? chain.coin.code : "USDC"
            let amount = "0.\(Int.random(in: 100...999, using: &random))"
            let answer = try await world.offer(amount, asset, to: other.address, by: one)
            if let id = answer.json["id"]?.stringValue.flatMap({ ID<Intent>(wire: $0) }) {
                let payment = try #require(try await world.payments.find(id))
                payments.append(payment)
                if Int.random(in: 0..<4, using: &random) == 0 {
                    let faults = DevChain.Fault.allCases
                    try await chain.fault(faults[Int.random(in: 0..<faults.count, using: &random)])
                }
                if Int.random(in: 0..<8, using: &random) > 0 { try await world.submit(payment, by: one) }
            } else {
                #expect(answer.json["code"] == "insufficient_funds" || answer.status == 503, "\(answer.json)")
            }
            try await chain.pass(Int.random(in: 0..<12, using: &random))
            // A fault may end a step; the next one goes on.
            try? await world.follow()
            try? await world.sendDue()
        }
        try await end(world, chain, payments)
        try await compare(world, chain, people, payments)
    }

    /// Until nothing is on its way any more.
    private func end(_ world: PaymentWorld, _ chain: Chain, _ payments: [Payment]) async throws {
        try await world.expireUnsigned()
        for _ in 0..<20 {
            try? await world.sendDue()
            try await chain.settle()
            try? await world.follow()
            var isOver = true
            for payment in payments where try await !world.now(payment).state.isOver { isOver = false }
            if isOver { break }
        }
        // What is left of faults.
        for _ in 0..<20 where (try? await world.follow()) == nil { continue }
        try await world.follow()
    }

    private func compare(
        _ world: PaymentWorld,
        _ chain: Chain,
        _ people: [PaymentWorld.Person],
        _ payments: [Payment]
    ) async throws {
        var fees: Int128 = 0
        for payment in payments {
            let state = try await world.now(payment).state
            #expect(state.isOver, "\(state.name)")
            fees += state.inclusion?.gasCost ?? 0
        }
        #expect(try await world.fees() == fees)
        for person in people {
            for asset in [chain.coin, .usdc] {
                let held = try await chain.held(asset, person.address)
                #expect(try await world.booked(asset, of: person) == held, "\(asset.code)")
                let totals = try await world.totals(asset, of: person)
                #expect(totals.received - totals.sent == held, "\(asset.code)")
            }
        }
        let final = try await payments.asyncCount { try await world.now($0).state.name == "final" }
        #expect(final > 0)
    }
}

extension Array {
    fileprivate func asyncCount(where matches: (Element) async throws -> Bool) async throws -> Int {
        var count = 0
        for element in self where try await matches(element) { count += 1 }
        return count
    }
}

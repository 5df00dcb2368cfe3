import Testing

@testable import DeFi

/// Many transactions while the chain changes its mind and its nodes fail in every way: books and chain end the same.
@Suite(.serialized)
struct ReorganisationTests {
    @Test(.timeLimit(.minutes(15)))
    func `two hundred transactions survive reorganisations, crashes and faults of every kind`() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        let measure = Turmoil.Measure()
        try await ChainWorld.with(confirmations: measure.confirmations) { world in
            let turmoil = try await Turmoil(world, seed: seed, measure)
            for _ in 0..<2_000 where try await !turmoil.isEnough { try await turmoil.step() }
            #expect(try await turmoil.isEnough, "seed \(seed), \(turmoil.seen)")
            try await turmoil.calm()
            try await turmoil.compare()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `forty transactions survive the same with two nodes, which fail and lag each for itself`() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        // Fewer of everything: each question is asked of both.
        let measure = Turmoil.Measure(transactions: 40, deeds: 0, depths: 4, times: 2, faults: 4)
        try await ChainWorld.with(confirmations: measure.confirmations) { one in
            let world = try await one.followed(by: one.dev.second.url)
            let turmoil = try await Turmoil(world, seed: seed, measure)
            for _ in 0..<2_000 where try await !turmoil.isEnough { try await turmoil.step() }
            #expect(try await turmoil.isEnough, "seed \(seed), \(turmoil.seen)")
            try await turmoil.calm()
            try await turmoil.compare()
        }
    }
}

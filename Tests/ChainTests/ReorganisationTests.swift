import Testing

@testable import DeFi

/// Many transactions while the chain changes its mind and its node fails in every way: books and chain end the same.
@Suite(.serialized)
struct ReorganisationTests {
    @Test(.timeLimit(.minutes(15)))
    func `two hundred transactions survive reorganisations, crashes and faults of every kind`() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await ChainWorld.with(confirmations: Turmoil.depthMax + 2) { world in
            let turmoil = try await Turmoil(world, seed: seed)
            for _ in 0..<2_000 where try await !turmoil.isEnough { try await turmoil.step() }
            #expect(try await turmoil.isEnough, "seed \(seed), \(turmoil.seen)")
            try await turmoil.calm()
            try await turmoil.compare()
        }
    }
}

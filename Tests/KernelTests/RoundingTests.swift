import Kernel
import Randomness
import Testing

@Suite struct RoundingTests {
    @Test(
        arguments: [
            // value, numerator, denominator: down, up, half even, half up.
            (10, 1, 4, [2, 3, 2, 3]), (14, 1, 4, [3, 4, 4, 4]), (9, 1, 4, [2, 3, 2, 2]), (11, 1, 4, [2, 3, 3, 3]),
            (8, 1, 4, [2, 2, 2, 2]), (0, 5, 7, [0, 0, 0, 0]), (1, 1, 3, [0, 1, 0, 0]), (2, 1, 3, [0, 1, 1, 1]),
            (1, 1, 2, [0, 1, 0, 1]), (3, 1, 2, [1, 2, 2, 2]), (5, 0, 3, [0, 0, 0, 0]),
        ] as [(Int128, Int128, Int128, [Int128])]
    )
    func `a quotient is rounded as named, and below zero as its mirror image`(
        value: Int128,
        numerator: Int128,
        denominator: Int128,
        expected: [Int128]
    ) {
        let modes: [Rounding] = [.down, .up, .halfEven, .halfUp]
        #expect(modes.map { $0.scale(value, by: numerator, over: denominator) } == expected)
        #expect(modes.map { $0.scale(-value, by: numerator, over: denominator) } == expected.map { -$0 })
    }

    @Test func `the product is exact however large it is`() {
        let large = Money.limit - 1
        #expect(Rounding.down.scale(large, by: large, over: large) == large)
        #expect(
            Rounding.halfEven.scale(large, by: 999_999_999, over: 1_000_000_000) == large - large / 1_000_000_000 - 1
        )
    }

    @Test func `a result that doesn't fit is none`() {
        #expect(Rounding.down.scale(Money.limit - 1, by: 2, over: 1) == nil)
        #expect(Rounding.down.scale(Money.limit - 1, by: Money.limit - 1, over: 1) == nil)
        #expect(Rounding.up.scale((Money.limit - 1) * 1, by: 3, over: 3) == Money.limit - 1)
        #expect(Rounding.up.scale(Money.limit / 2 + 1, by: 2, over: 1) == nil)
    }

    @Test(arguments: [UInt64(9), 20_261_123])
    func `random quotients agree with long division`(seed: UInt64) {
        var random = SeededRandom(seed)
        for _ in 0..<20_000 {
            let value = Int128(Int64.random(in: 0...1_000_000, using: &random))
            let numerator = Int128(Int64.random(in: 0...1000, using: &random))
            let denominator = Int128(Int64.random(in: 1...1000, using: &random))
            let (quotient, rest) = (value * numerator).quotientAndRemainder(dividingBy: denominator)
            let up = rest == 0 ? quotient : quotient + 1
            let isTie = rest * 2 == denominator
            let nearest = rest * 2 > denominator ? up : quotient
            let even = quotient % 2 == 0 ? quotient : quotient + 1
            let expected = [quotient, up, isTie ? even : nearest, isTie ? up : nearest]
            let modes: [Rounding] = [.down, .up, .halfEven, .halfUp]
            let actual = modes.map { $0.scale(value, by: numerator, over: denominator) }
            guard actual != expected else { continue }
            Issue.record("seed \(seed): \(value) * \(numerator) / \(denominator) is \(actual), not \(expected)")
            return
        }
    }
}

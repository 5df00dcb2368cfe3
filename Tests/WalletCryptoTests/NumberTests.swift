import Randomness
import Testing
import WalletCrypto

@Suite struct NumberTests {
    // Numbers with long runs of ones and zeros, where carries and guesses go wrong.
    private static func number(_ random: inout SeededRandom, bytesMax: Int) -> BigUInt {
        let bytes = (0..<Int.random(in: 0...bytesMax, using: &random)).map { _ in
            [0, 0xFF, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0
        }
        return BigUInt(bigEndian: bytes)
    }

    @Test func `small numbers are what UInt128 makes of them`() {
        var random = SeededRandom(1)
        for _ in 0..<5000 {
            let (a, b) = (random.next() >> (random.next() % 64), random.next() >> (random.next() % 64))
            let (x, y) = (BigUInt(a), BigUInt(b))
            #expect(x + y == BigUInt(UInt128(a) + UInt128(b)))
            #expect(x * y == BigUInt(UInt128(a) * UInt128(b)))
            #expect((x < y) == (a < b))
            if a >= b { #expect(x - y == BigUInt(a - b)) }
            guard b > 0 else { continue }
            let (quotient, remainder) = x.quotientAndRemainder(dividingBy: y)
            #expect(quotient == BigUInt(a / b) && remainder == BigUInt(a % b))
        }
    }

    @Test func `quotient times divisor and remainder give the dividend back`() {
        var random = SeededRandom(2)
        for _ in 0..<20_000 {
            let (x, y) = (Self.number(&random, bytesMax: 80), Self.number(&random, bytesMax: 48))
            guard !y.isZero else { continue }
            let (quotient, remainder) = x.quotientAndRemainder(dividingBy: y)
            #expect(quotient * y + remainder == x && remainder < y)
            #expect(x.dividedRoundingUp(by: y) == (remainder.isZero ? quotient : quotient + .one))
        }
    }

    @Test func `division where the first guess is too large`() throws {
        // Knuth's step D6, which random numbers hardly ever reach.
        let x = try #require(BigUInt("170141183420855150474555134919112130560"))
        let y = try #require(BigUInt("39614081257132168796771975169"))
        let (quotient, remainder) = x.quotientAndRemainder(dividingBy: y)
        #expect(quotient * y + remainder == x && remainder < y)
        let high = BigUInt(bigEndian: [0x7F, 0xFF, 0xFF, 0xFF, 0x80] + [UInt8](repeating: 0, count: 11))
        let divisor = BigUInt(bigEndian: [0x80] + [UInt8](repeating: 0, count: 6) + [0, 0, 0, 0, 1])
        let parts = high.quotientAndRemainder(dividingBy: divisor)
        #expect(parts.quotient * divisor + parts.remainder == high && parts.remainder < divisor)
    }

    @Test func `a square root is the largest number whose square fits`() {
        var random = SeededRandom(3)
        for _ in 0..<2000 {
            let x = Self.number(&random, bytesMax: 60)
            let root = x.squareRoot
            #expect(root * root <= x && (root + .one) * (root + .one) > x)
        }
    }

    @Test func `digits and bytes read back`() throws {
        var random = SeededRandom(4)
        for _ in 0..<2000 {
            let x = Self.number(&random, bytesMax: 80)
            #expect(BigUInt(x.description) == x)
            #expect(BigUInt(bigEndian: x.minimalBytes) == x)
            #expect(try BigUInt(bigEndian: #require(x.bytes(count: 80))) == x)
            #expect(BigInt("-\(x)") == (x.isZero ? nil : BigInt(x, isNegative: true)))
        }
        #expect(BigUInt.uint256Max.bytes(count: 31) == nil)
        #expect(BigUInt.uint256Max.bitWidth == 256)
        #expect((BigUInt.powerOfTen(30)).int128 == 1_000_000_000_000_000_000_000_000_000_000)
        #expect(BigUInt.uint256Max.int128 == nil && BigUInt.uint256Max.uint64 == nil)
    }

    @Test(arguments: ["", "01", "-1", "+1", "1 ", "1e3", "１", String(repeating: "9", count: 201)])
    func `text that is no number is refused`(text: String) {
        #expect(BigUInt(text) == nil)
    }

    @Test func `half goes to the even neighbour`() {
        let two = BigUInt(2)
        #expect((0...5).map { BigUInt($0).dividedRoundingHalfEven(by: two) } == [0, 0, 1, 2, 2, 2].map { BigUInt($0) })
    }

    @Test func `decimals of 18 places read back`() throws {
        #expect(Fixed18("-0.25")?.description == "-0.250000000000000000")
        #expect(Fixed18("12")?.description == "12.000000000000000000")
        for text in ["", ".5", "1.", "01", "1.2.3", "--1", "1.0000000000000000001", "1,5", "0x1"] {
            #expect(Fixed18(text) == nil, "\(text)")
        }
    }
}

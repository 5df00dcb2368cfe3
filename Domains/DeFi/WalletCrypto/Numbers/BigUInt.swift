/// A natural number of any size: amounts of 256 bits and the products between them.
public struct BigUInt: Hashable, Sendable {
    /// The most decimal digits that are read from text.
    public static let digitsMax = 200
    /// The number 0.
    public static let zero = BigUInt(limbs: [])
    /// The number 1.
    public static let one = BigUInt(1)
    /// The largest number of 256 bits.
    public static let uint256Max = BigUInt(limbs: [UInt32](repeating: .max, count: 8))

    // Little-endian, the last one never zero.
    let limbs: [UInt32]

    init(limbs: [UInt32]) {
        var limbs = limbs
        while limbs.last == 0 { limbs.removeLast() }
        self.limbs = limbs
    }

    /// A number from an integer that isn't negative.
    public init(_ value: some BinaryInteger) {
        precondition(value >= 0, "a natural number below zero")
        var rest = UInt128(value)
        var limbs: [UInt32] = []
        while rest > 0 {
            limbs.append(UInt32(truncatingIfNeeded: rest))
            rest >>= 32
        }
        self.limbs = limbs
    }

    /// A number from big-endian bytes; none is 0.
    public init(bigEndian bytes: some Collection<UInt8>) {
        var limbs = [UInt32](repeating: 0, count: (bytes.count + 3) / 4)
        for (place, byte) in bytes.reversed().enumerated() { limbs[place / 4] |= UInt32(byte) << (8 * (place % 4)) }
        self.init(limbs: limbs)
    }

    /// Reads decimal digits without sign and leading zeros, at most `digitsMax`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard (1...Self.digitsMax).contains(digits.count), digits.count == 1 || digits[0] != UInt8(ascii: "0") else {
            return nil
        }
        var limbs: [UInt32] = []
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            var carry = UInt64(digit - UInt8(ascii: "0"))
            for index in limbs.indices {
                carry += UInt64(limbs[index]) * 10
                limbs[index] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            if carry > 0 { limbs.append(UInt32(carry)) }
        }
        self.init(limbs: limbs)
    }

    /// Ten to a power that isn't negative.
    public static func powerOfTen(_ exponent: Int) -> BigUInt {
        (0..<exponent).reduce(.one) { power, _ in power * BigUInt(10) }
    }

    /// Whether it is 0.
    public var isZero: Bool { limbs.isEmpty }

    /// The number of bits up to the highest that is set; 0 for 0.
    public var bitWidth: Int {
        guard let top = limbs.last else { return 0 }
        return limbs.count * 32 - top.leadingZeroBitCount
    }

    /// The value as an integer of 64 bits; nil if it doesn't fit.
    public var uint64: UInt64? {
        guard limbs.count <= 2 else { return nil }
        return limbs.reversed().reduce(0) { $0 << 32 | UInt64($1) }
    }

    /// The value as an integer of 128 bits with sign; nil if it doesn't fit.
    public var int128: Int128? {
        guard bitWidth <= 127 else { return nil }
        return limbs.reversed().reduce(0) { $0 << 32 | Int128($1) }
    }

    /// Big-endian bytes without a leading zero; none for 0.
    public var minimalBytes: [UInt8] { bytes(count: (bitWidth + 7) / 8) ?? [] }

    /// Big-endian bytes, filled up with zeros in front to `count`; nil if it needs more.
    public func bytes(count: Int) -> [UInt8]? {
        guard (bitWidth + 7) / 8 <= count else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        for place in 0..<min(count, limbs.count * 4) {
            bytes[count - 1 - place] = UInt8(truncatingIfNeeded: limbs[place / 4] >> (8 * (place % 4)))
        }
        return bytes
    }
}

extension BigUInt: Comparable {
    /// Orders by value.
    public static func < (left: BigUInt, right: BigUInt) -> Bool {
        left.limbs.count != right.limbs.count
            ? left.limbs.count < right.limbs.count
            : left.limbs.reversed().lexicographicallyPrecedes(right.limbs.reversed())
    }
}

extension BigUInt: CustomStringConvertible {
    /// Decimal digits.
    public var description: String {
        var groups: [String] = []
        var rest = self
        while !rest.isZero {
            let (quotient, remainder) = rest.dividedBySmall(1_000_000_000)
            let digits = String(remainder)
            groups.append(quotient.isZero ? digits : String(repeating: "0", count: 9 - digits.utf8.count) + digits)
            rest = quotient
        }
        return groups.isEmpty ? "0" : groups.reversed().joined()
    }
}

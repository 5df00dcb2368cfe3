/// A number modulo 2^255 - 19 in five limbs of 51 bits, as far as telling points of edwards25519 needs it.
///
/// Not constant in time: it sees public keys only.
struct Curve25519Field {
    private static let mask: UInt64 = (1 << 51) - 1
    // d = -121665 / 121666 (RFC 8032 §5.1).
    static let d = Curve25519Field([
        0x34DC_A135_978A3, 0x1A82_83B1_56EBD, 0x5E7A_2600_1C029, 0x739C_663A_03CBB, 0x52036_CEE2_B6FF,
    ])
    static let one = Curve25519Field([1, 0, 0, 0, 0])

    private var limbs: [UInt64]

    private init(_ limbs: [UInt64]) { self.limbs = limbs }

    /// The 32 bytes as a little-endian number, its top bit left out; it need not be reduced.
    init(littleEndian bytes: [UInt8]) {
        limbs = (0..<5).map { limb in
            (0..<51).reduce(UInt64(0)) { value, bit in
                let place = limb * 51 + bit
                return value | UInt64(bytes[place / 8] >> (place % 8) & 1) << bit
            }
        }
    }

    static func + (left: Self, right: Self) -> Self { carried((0..<5).map { left.limbs[$0] + right.limbs[$0] }) }

    static func - (left: Self, right: Self) -> Self {
        // Twice the prime is added, so that no limb gets negative.
        let twice: [UInt64] = [(mask - 18) * 2, mask * 2, mask * 2, mask * 2, mask * 2]
        return carried((0..<5).map { left.limbs[$0] + twice[$0] - right.limbs[$0] })
    }

    static func * (left: Self, right: Self) -> Self {
        var sums = [UInt128](repeating: 0, count: 5)
        for (i, a) in left.limbs.enumerated() {
            for (j, b) in right.limbs.enumerated() {
                // 2^255 = 19 (mod p).
                sums[(i + j) % 5] += UInt128(a) * UInt128(i + j < 5 ? b : b * 19)
            }
        }
        var carry: UInt128 = 0
        var limbs = [UInt64](repeating: 0, count: 5)
        for index in 0..<5 {
            let sum = sums[index] + carry
            limbs[index] = UInt64(truncatingIfNeeded: sum) & mask
            carry = sum >> 51
        }
        limbs[0] += UInt64(truncatingIfNeeded: carry * 19)
        return carried(limbs)
    }

    /// Whether it is a square, zero included: Euler's criterion, x^((p-1)/2) is 0 or 1.
    var isSquare: Bool {
        // (p - 1) / 2 = 2^254 - 10: 250 ones, then 110110 in binary.
        var power = Self.one
        for bit in (0..<254).reversed() {
            power = power * power
            if bit > 5 || [1, 2, 4, 5].contains(bit) { power = power * self }
        }
        return power.isZero || (power - Self.one).isZero
    }

    var isZero: Bool {
        // Reduced fully, by adding 19 and looking whether that overflows 255 bits.
        let reduced = Self.carried(limbs).limbs
        return reduced.allSatisfy { $0 == 0 }
            || (reduced[0] == Self.mask - 18 && reduced[1...].allSatisfy { $0 == Self.mask })
    }

    private static func carried(_ limbs: [UInt64]) -> Self {
        var limbs = limbs
        for _ in 0..<2 {
            var carry: UInt64 = 0
            for index in 0..<5 {
                limbs[index] += carry
                carry = limbs[index] >> 51
                limbs[index] &= mask
            }
            limbs[0] += carry * 19
        }
        return Self(limbs)
    }
}

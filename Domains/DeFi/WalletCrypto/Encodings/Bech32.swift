/// Bech32 (BIP-173) and Bech32m (BIP-350).
public enum Bech32 {
    /// Which of the two checksums.
    public enum Variant: String, Hashable, Sendable {
        /// BIP-173: witness version 0.
        case bech32
        /// BIP-350: witness versions from 1.
        case bech32m

        fileprivate var constant: UInt32 { self == .bech32 ? 1 : 0x2BC8_30A3 }
    }

    /// The most characters of a text.
    public static let charactersMax = 90
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 128)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// Reads a text: the part before the separator in lower case, and groups of five bits without the checksum.
    ///
    /// Nil for another checksum, mixed case, more than 90 characters and whatever else the BIPs refuse.
    public static func decode(_ text: String, _ variant: Variant) -> (prefix: String, groups: [UInt8])? {
        let original = Array(text.utf8)
        guard (8...charactersMax).contains(original.count), original.allSatisfy({ (33...126).contains($0) }) else {
            return nil
        }
        let hasUpper = original.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        let hasLower = original.contains { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        guard !(hasUpper && hasLower) else { return nil }
        let lower = hasUpper ? original.map { (65...90).contains($0) ? $0 + 32 : $0 } : original
        guard let separator = lower.lastIndex(of: UInt8(ascii: "1")), separator > 0, separator + 7 <= lower.count else {
            return nil
        }
        let groups = lower[(separator + 1)...].map { values[Int($0)] }
        guard groups.allSatisfy({ $0 < 32 }) else { return nil }
        let prefix = Array(lower[..<separator])
        guard polymod(expanded(prefix) + groups) == variant.constant else { return nil }
        return (String(decoding: prefix, as: UTF8.self), Array(groups.dropLast(6)))
    }

    /// The text of groups of five bits behind a prefix in lower case.
    public static func encode(prefix: String, groups: [UInt8], _ variant: Variant) -> String {
        let start = expanded(Array(prefix.utf8)) + groups
        let checksum = polymod(start + [UInt8](repeating: 0, count: 6)) ^ variant.constant
        let last = (0..<6).map { UInt8(truncatingIfNeeded: checksum >> (5 * (5 - $0))) & 31 }
        return prefix + "1" + String(decoding: (groups + last).map { alphabet[Int($0)] }, as: UTF8.self)
    }

    /// Eight bits to five, the last group filled up with zeros.
    static func groups(_ bytes: [UInt8]) -> [UInt8] {
        var groups: [UInt8] = []
        var bits: UInt32 = 0
        var held = 0
        for byte in bytes {
            bits = (bits << 8 | UInt32(byte)) & 0xFFFF
            held += 8
            while held >= 5 {
                held -= 5
                groups.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)) & 31)
            }
        }
        if held > 0 { groups.append(UInt8(truncatingIfNeeded: bits << UInt32(5 - held)) & 31) }
        return groups
    }

    /// Five bits to eight; nil when five bits or more are left over, or bits that are set.
    static func bytes(_ groups: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var held = 0
        for group in groups {
            bits = (bits << 5 | UInt32(group)) & 0xFFF
            held += 5
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
            }
        }
        return held < 5 && bits & ((1 << UInt32(held)) - 1) == 0 ? bytes : nil
    }

    private static func expanded(_ prefix: [UInt8]) -> [UInt8] { prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 } }

    private static func polymod(_ values: [UInt8]) -> UInt32 {
        let generators: [UInt32] = [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3]
        return values.reduce(UInt32(1)) { checksum, value in
            let top = checksum >> 25
            var next = (checksum & 0x1FF_FFFF) << 5 ^ UInt32(value)
            for bit in 0..<5 where top >> UInt32(bit) & 1 == 1 { next ^= generators[bit] }
            return next
        }
    }
}

import Crypto

/// Ed25519 (RFC 8032).
public enum Ed25519 {
    /// Whether `signature` (64 bytes) is the key's (32 bytes) over `message`; false as well for anything malformed.
    ///
    /// Refused too: s at or above the group's order, keys that aren't written in their one canonical form, and keys
    /// of small order, for which one signature fits many messages.
    public static func verify(signature: [UInt8], message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard isUsable(publicKey: publicKey), let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey)
        else { return false }
        return key.isValidSignature(signature, for: message)
    }

    /// Whether 32 bytes can be a key: y below the field's prime, and not one of the points of small order.
    ///
    /// Whether there is such a point at all is `isOnCurve`; the signature check refuses keys that are none.
    public static func isUsable(publicKey: [UInt8]) -> Bool {
        guard publicKey.count == 32 else { return false }
        // The top bit is the sign of x, which makes no difference to the order.
        var y = publicKey
        y[31] &= 0x7F
        let isCanonical = y[31] < 0x7F || y[1..<31].contains { $0 < 0xFF } || y[0] < 0xED
        return isCanonical && !smallOrder.contains(y)
    }

    /// Whether 32 bytes are a point of the curve: y² - 1 over d·y² + 1 has a square root (RFC 8032 §5.1.3).
    ///
    /// Points of small order and y at or above the prime count, as they do where Solana asks whether an address can
    /// have a key.
    public static func isOnCurve(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 32 else { return false }
        let y = Curve25519Field(littleEndian: bytes)
        let square = y * y
        // A fraction is a square exactly if numerator times denominator is one.
        return ((square - .one) * (Curve25519Field.d * square + .one)).isSquare
    }

    /// Whether 64 bytes are a secret key and behind it the public key that belongs to it.
    ///
    /// For recognising what must not be accepted.
    public static func isKeyPair(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 64, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes[..<32]) else {
            return false
        }
        return ConstantTime.equal(Array(key.publicKey.rawRepresentation), Array(bytes[32...]))
    }

    // The y of the eight points of small order: 0, 1, p - 1, the two of order 8.
    private static let smallOrder: Set<[UInt8]> = {
        let zeros = [UInt8](repeating: 0, count: 31)
        let ones = [UInt8](repeating: 0xFF, count: 30) + [0x7F]
        let order8: [[UInt8]] = [
            [
                0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
                0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
            ],
            [
                0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
                0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
            ],
        ]
        return Set(order8 + [[0] + zeros, [1] + zeros, [0xEC] + ones])
    }()
}

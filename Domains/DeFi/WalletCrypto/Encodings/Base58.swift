import Cryptography

/// Base 58 as Bitcoin and Solana write bytes, and its form with a checksum of four bytes.
public enum Base58 {
    /// The most characters that are read: 120 bytes, above every form that wallets have.
    public static let charactersMax = 164
    private static let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// The text of bytes; the caller guarantees few of them, for the time grows with the square.
    public static func encode(_ bytes: [UInt8]) -> String {
        var digits: [UInt8] = []
        for byte in bytes {
            var carry = Int(byte)
            for index in digits.indices {
                carry += Int(digits[index]) << 8
                digits[index] = UInt8(carry % 58)
                carry /= 58
            }
            while carry > 0 {
                digits.append(UInt8(carry % 58))
                carry /= 58
            }
        }
        let zeros = bytes.prefix { $0 == 0 }.count
        let text = [UInt8](repeating: alphabet[0], count: zeros) + digits.reversed().map { alphabet[Int($0)] }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a text; nil for a character that isn't in the alphabet or a text above `charactersMax`.
    public static func decode(_ text: String) -> [UInt8]? { decode(utf8: text.utf8) }

    static func decode(utf8 characters: some Collection<UInt8>) -> [UInt8]? {
        guard characters.count <= charactersMax else { return nil }
        var bytes: [UInt8] = []
        for character in characters {
            guard case let value = values[Int(character)], value < 58 else { return nil }
            var carry = Int(value)
            for index in bytes.indices {
                carry += Int(bytes[index]) * 58
                bytes[index] = UInt8(truncatingIfNeeded: carry)
                carry >>= 8
            }
            if carry > 0 { bytes.append(UInt8(carry)) }
        }
        let zeros = characters.prefix { $0 == alphabet[0] }.count
        return [UInt8](repeating: 0, count: zeros) + bytes.reversed()
    }

    static func isCharacter(_ byte: UInt8) -> Bool { values[Int(byte)] < 58 }

    /// The text of bytes with the first four of their double SHA-256 behind them.
    public static func encodeChecked(_ bytes: [UInt8]) -> String {
        encode(bytes + SHA256Digest.of(SHA256Digest.of(bytes))[..<4])
    }

    /// The bytes of a text without their checksum; nil if it isn't theirs.
    public static func decodeChecked(_ text: String) -> [UInt8]? { decodeChecked(utf8: text.utf8) }

    static func decodeChecked(utf8 characters: some Collection<UInt8>) -> [UInt8]? {
        guard let bytes = decode(utf8: characters), bytes.count >= 4 else { return nil }
        let payload = Array(bytes.dropLast(4))
        return SHA256Digest.of(SHA256Digest.of(payload))[..<4] == bytes.suffix(4)[...] ? payload : nil
    }
}

import Cryptography

/// Hexadecimal text with `0x`, as Ethereum and Sui write bytes.
public enum HexText {
    /// `0x` and two lower case digits per byte.
    public static func encode(_ bytes: [UInt8]) -> String { "0x" + Hex.encode(bytes) }

    /// Reads `0x` and two digits per byte, upper or lower case; nil for anything else, `0X` included.
    public static func decode(_ text: String) -> [UInt8]? {
        guard text.utf8.count <= Bounds.textBytesMax, text.utf8.starts(with: "0x".utf8) else { return nil }
        return digits(text.utf8.dropFirst(2))
    }

    /// Reads two digits per byte, upper or lower case.
    static func digits(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var high: UInt8?
        for character in text {
            guard let digit = digit(character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }

    static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

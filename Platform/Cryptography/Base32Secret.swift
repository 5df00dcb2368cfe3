/// Base 32 (RFC 4648 §6) without padding, as authenticator apps take their secrets.
enum Base32Secret {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var characters: [UInt8] = []
        var bits: UInt32 = 0
        var held: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            held += 8
            while held >= 5 {
                held -= 5
                characters.append(alphabet[Int(bits >> held & 31)])
            }
            bits &= (1 << held) - 1
        }
        if held > 0 { characters.append(alphabet[Int(bits << (5 - held) & 31)]) }
        return String(decoding: characters, as: UTF8.self)
    }

    /// Reads upper case text without padding; nil for another alphabet and for bits left over that aren't zero.
    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (bits, held): (UInt32, UInt32) = (0, 0)
        for character in text.utf8 {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            (bits, held) = (bits << 5 | UInt32(value), held + 5)
            guard held >= 8 else { continue }
            held -= 8
            bytes.append(UInt8(bits >> held))
            bits &= (1 << held) - 1
        }
        return held < 5 && bits == 0 ? bytes : nil
    }
}

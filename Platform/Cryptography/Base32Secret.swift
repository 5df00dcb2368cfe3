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
}

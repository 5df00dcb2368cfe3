import Cryptography
import Kernel

/// Goes through texts once, word by word; the run of words goes on from one text to the next.
struct PrivateMaterialScanner {
    // The shortest phrase that wallets make.
    private static let phraseWords = 12
    // Decoding and deriving cost microseconds each, so a body with more look-alikes is refused.
    private static let checksMax = 256
    private static let privateKeyLabel = Array("PRIVATE KEY-----".utf8)

    private var wordsInRow = 0
    private var checks = 0

    mutating func scan(_ json: JSON) -> PrivateMaterial? {
        switch json {
        case .null, .bool, .number: return nil
        case .string(let text): return scan(text)
        case .array(let elements):
            if let found = scanNumbers(elements.map(\.integerValue)) { return found }
            for element in elements {
                if let found = scan(element) { return found }
            }
        case .object(let members):
            for member in members {
                // Names would break a phrase whose words are the values.
                if let found = PrivateMaterial.find(in: member.name) ?? scan(member.value) { return found }
            }
        }
        return nil
    }

    mutating func scan(_ text: String) -> PrivateMaterial? {
        var text = text
        return text.withUTF8 { scan($0) }
    }

    private mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>) -> PrivateMaterial? {
        var start = 0
        while start < bytes.count {
            guard ASCII.isAlphanumeric(bytes[start]) else {
                if bytes[start] == UInt8(ascii: "["), let found = scanNumbers(in: bytes, from: start + 1) {
                    return found
                }
                start += 1
                continue
            }
            var end = start + 1
            while end < bytes.count, ASCII.isAlphanumeric(bytes[end]) { end += 1 }
            let token = UnsafeBufferPointer(rebasing: bytes[start..<end])
            if countWord(token) { return .phrase }
            if token.count >= 50, let found = scanToken(token) { return found }
            if bytes[start...].starts(with: Self.privateKeyLabel) { return .pem }
            start = end
        }
        return scanBase64(bytes)
    }

    // Digits alone number the words of a list and don't break it.
    private mutating func countWord(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
        if token.allSatisfy(ASCII.isDigit) { return false }
        wordsInRow = WordList.contains(token) ? wordsInRow + 1 : 0
        return wordsInRow >= Self.phraseWords
    }

    private mutating func scanToken(_ token: UnsafeBufferPointer<UInt8>) -> PrivateMaterial? {
        if isExtendedKey(token) { return .extendedKey }
        if isSuiKey(token) { return .suiKey }
        switch token.count {
        case 51, 52, 58: return check(for: .importFormat) { Self.isImportFormat(token) }
        case 86...88: return check(for: .ed25519Pair) { Base58.decode(utf8: token).map(Ed25519.isKeyPair) ?? false }
        case 128: return check(for: .ed25519Pair) { HexText.digits(token).map(Ed25519.isKeyPair) ?? false }
        // With a prefix of 0x, whose x is a letter.
        case 130:
            return check(for: .ed25519Pair) { HexText.digits(token.dropFirst(2)).map(Ed25519.isKeyPair) ?? false }
        default: return nil
        }
    }

    // By its look, without the checksum: one wrong character doesn't make it less secret.
    private func isExtendedKey(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
        guard token.count >= 100 else { return false }
        let label = Array("prv".utf8)
        return (1...(token.count - 99)).contains { place in
            "xyztuvYZUV".utf8.contains(token[place - 1]) && token[place...].starts(with: label)
        }
    }

    private func isSuiKey(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
        let label = Array("suiprivkey1".utf8)
        guard token.count >= label.count + 50 else { return false }
        return (0...(token.count - label.count - 50)).contains { place in
            token[place..<(place + label.count)].elementsEqual(label) { $0 | 0x20 == $1 | 0x20 }
        }
    }

    private static func isImportFormat(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let payload = Base58.decodeChecked(utf8: token), let version = payload.first else { return false }
        if payload.count == 39 { return version == 1 && [0x42, 0x43].contains(payload[1]) }
        return [0x80, 0xEF].contains(version) && (payload.count == 33 || (payload.count == 34 && payload[33] == 1))
    }

    // 64 bytes are 86 characters and two of padding.
    private mutating func scanBase64(_ bytes: UnsafeBufferPointer<UInt8>) -> PrivateMaterial? {
        guard bytes.count >= 88 else { return nil }
        var place = 0
        while let equals = bytes[place...].firstIndex(of: UInt8(ascii: "=")) {
            if equals >= 86, equals + 1 < bytes.count, bytes[equals + 1] == UInt8(ascii: "=") {
                let text = String(decoding: bytes[(equals - 86)...(equals + 1)], as: UTF8.self)
                let found = check(for: .ed25519Pair) { Base64.decode(text).map(Ed25519.isKeyPair) ?? false }
                if let found { return found }
            }
            place = equals + 1
        }
        return nil
    }

    // An array of 64 numbers, as Solana's tools write key files.
    private mutating func scanNumbers(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> PrivateMaterial? {
        // 64 numbers of three digits, commas and some blanks; another bracket begins anew.
        let body = bytes[start...].prefix(1024).prefix { $0 != UInt8(ascii: "]") && $0 != UInt8(ascii: "[") }
        guard body.count >= 127 else { return nil }
        let parts = body.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard parts.count == 64 else { return nil }
        return scanNumbers(
            parts.map { part in
                let digits = part.drop { $0 <= 0x20 }.prefix { $0 > 0x20 }
                return Int(String(decoding: digits, as: UTF8.self))
            }
        )
    }

    private mutating func scanNumbers(_ numbers: [Int?]) -> PrivateMaterial? {
        guard numbers.count == 64 else { return nil }
        let bytes = numbers.compactMap { $0.flatMap(UInt8.init(exactly:)) }
        guard bytes.count == 64 else { return nil }
        return check(for: .ed25519Pair) { Ed25519.isKeyPair(bytes) }
    }

    private mutating func check(for kind: PrivateMaterial, _ look: () -> Bool) -> PrivateMaterial? {
        checks += 1
        guard checks <= Self.checksMax else { return .tooManyLookAlikes }
        return look() ? kind : nil
    }
}

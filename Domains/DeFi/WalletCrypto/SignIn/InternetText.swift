import Kernel

/// Pieces of texts that sign-in messages are made of (RFC 3986, RFC 3339), by byte and without backtracking.
enum InternetText {
    static func isUnreserved(_ byte: UInt8) -> Bool { ASCII.isAlphanumeric(byte) || "-._~".utf8.contains(byte) }
    static func isSubDelimiter(_ byte: UInt8) -> Bool { "!$&'()*+,;=".utf8.contains(byte) }
    static func isGeneralDelimiter(_ byte: UInt8) -> Bool { ":/?#[]@".utf8.contains(byte) }

    /// Whether all of it is unreserved, a delimiter within a part, percent-encoded or one of `more`.
    static func isPart(_ text: some Collection<UInt8>, more: String) -> Bool {
        var rest = text[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "%") {
                let digits = rest.dropFirst().prefix(2)
                guard digits.count == 2, digits.allSatisfy({ HexText.digit($0) != nil }) else { return false }
                rest = rest.dropFirst(3)
            } else {
                guard isUnreserved(byte) || isSubDelimiter(byte) || more.utf8.contains(byte) else { return false }
                rest = rest.dropFirst()
            }
        }
        return true
    }

    /// Whether it is a URI with a scheme (RFC 3986 §3).
    static func isURI(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), isScheme(bytes[..<colon]) else { return false }
        var rest = bytes[(colon + 1)...]
        if rest.starts(with: "//".utf8) {
            let authority = rest.dropFirst(2).prefix { !"/?#".utf8.contains($0) }
            guard authority.isEmpty || isAuthority(authority) else { return false }
            rest = rest.dropFirst(2 + authority.count)
        }
        let path = rest.prefix { !"?#".utf8.contains($0) }
        guard isPart(path, more: ":@/") else { return false }
        rest = rest.dropFirst(path.count)
        if rest.first == UInt8(ascii: "?") {
            let query = rest.dropFirst().prefix { $0 != UInt8(ascii: "#") }
            guard isPart(query, more: ":@/?") else { return false }
            rest = rest.dropFirst(1 + query.count)
        }
        return rest.isEmpty || isPart(rest.dropFirst(), more: ":@/?")
    }

    static func isScheme(_ bytes: some Collection<UInt8>) -> Bool {
        guard let first = bytes.first, ASCII.isLetter(first) else { return false }
        return bytes.allSatisfy { ASCII.isAlphanumeric($0) || "+-.".utf8.contains($0) }
    }

    /// Whether it is user, host and port, the host not empty (RFC 3986 §3.2).
    static func isAuthority(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        if let at = rest.lastIndex(of: UInt8(ascii: "@")) {
            guard isPart(rest[..<at], more: ":") else { return false }
            rest = rest[(at + 1)...]
        }
        if rest.first == UInt8(ascii: "[") {
            guard let close = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let literal = rest[(rest.startIndex + 1)..<close]
            guard (2...45).contains(literal.count),
                literal.allSatisfy({ HexText.digit($0) != nil || ":.".utf8.contains($0) })
            else { return false }
            rest = rest[(close + 1)...]
        } else {
            let host = rest.prefix { $0 != UInt8(ascii: ":") }
            guard !host.isEmpty, isPart(host, more: "") else { return false }
            rest = rest[host.endIndex...]
        }
        guard rest.first == UInt8(ascii: ":") else { return rest.isEmpty }
        return rest.count <= 6 && rest.dropFirst().allSatisfy(ASCII.isDigit)
    }

    /// Reads RFC 3339 with any offset and up to 9 decimals of a second, of which six count; nil for anything else.
    static func instant(_ text: String) -> Timestamp? {
        let bytes = Array(text.utf8)
        guard (20...35).contains(bytes.count) else { return nil }
        let hasPoint = bytes[19] == UInt8(ascii: ".")
        let decimals = hasPoint ? bytes[20...].prefix(while: ASCII.isDigit).count : 0
        guard !hasPoint || (1...9).contains(decimals) else { return nil }
        let zone = Array(bytes[(hasPoint ? 20 + decimals : 19)...])
        let plain = bytes[..<(hasPoint ? 20 + min(decimals, 6) : 19)] + [UInt8(ascii: "Z")]
        guard let local = Timestamp(String(decoding: plain, as: UTF8.self)), let offset = offsetSeconds(zone) else {
            return nil
        }
        return local.adding(seconds: -offset)
    }

    private static func offsetSeconds(_ zone: [UInt8]) -> Int64? {
        if zone == [UInt8(ascii: "Z")] { return 0 }
        guard zone.count == 6, "+-".utf8.contains(zone[0]), zone[3] == UInt8(ascii: ":"),
            [1, 2, 4, 5].allSatisfy({ ASCII.isDigit(zone[$0]) })
        else { return nil }
        func number(_ place: Int) -> Int64 { Int64(zone[place] - 48) * 10 + Int64(zone[place + 1] - 48) }
        guard number(1) < 24, number(4) < 60 else { return nil }
        return (number(1) * 3600 + number(4) * 60) * (zone[0] == UInt8(ascii: "-") ? -1 : 1)
    }
}

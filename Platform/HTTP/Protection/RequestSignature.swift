/// How a program signs a request: `Authorization: Diboas-Key id=…, time=…, body=…, signature=…`.
///
/// `time` is in milliseconds since 1970, `body` the SHA-256 of the body in hex (of no bytes where there is none),
/// `signature` base64url without padding. The parts stand in this order, once each.
public struct RequestSignature: Hashable, Sendable {
    /// The scheme of `Authorization`.
    public static let scheme = "Diboas-Key"
    /// No longer header is looked at, in bytes.
    static let bytesMax = 512

    /// The key's id on the wire.
    public let key: String
    /// When the client signed, in milliseconds since 1970.
    public let milliseconds: Int64
    /// The SHA-256 of the body in lower case hex, as the client says.
    public let bodyHash: String
    /// The signature in base64url.
    public let signature: String

    private let timeText: Substring

    /// Reads the header's value; nil for another scheme and for anything that isn't exactly of this form.
    init?(authorization: String) {
        guard authorization.utf8.count <= RequestSignature.bytesMax else { return nil }
        let parts = authorization.split(separator: " ", omittingEmptySubsequences: false)
        let names = ["id=", "time=", "body=", "signature="]
        guard parts.count == 5, parts[0] == RequestSignature.scheme else { return nil }
        var values: [Substring] = []
        for (index, name) in names.enumerated() {
            var part = parts[index + 1]
            if index < 3 { guard part.popLast() == "," else { return nil } }
            guard part.hasPrefix(name) else { return nil }
            values.append(part.dropFirst(name.count))
        }
        let isTime = (1...15).contains(values[1].utf8.count) && values[1].utf8.allSatisfy { (0x30...0x39).contains($0) }
        let isHash = values[2].utf8.count == 64 && values[2].utf8.allSatisfy(RequestSignature.isHexDigit)
        guard isTime, values[1].utf8.first != 0x30, isHash, !values[0].isEmpty, !values[3].isEmpty,
            let milliseconds = Int64(values[1])
        else { return nil }
        (key, self.milliseconds, timeText) = (String(values[0]), milliseconds, values[1])
        (bodyHash, signature) = (String(values[2]), String(values[3]))
    }

    /// What was signed: time, method, path with query, and body hash, a line each, without a line feed at the end.
    ///
    /// `method` and `target` are as they stand in the request line.
    public func signedText(of request: APIRequest) -> [UInt8] {
        let target = request.rawQuery.isEmpty ? request.path : request.path + "?" + request.rawQuery
        return Array("\(timeText)\n\(request.wireMethod)\n\(target)\n\(bodyHash)".utf8)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}

import Crypto
public import Kernel

/// The version of a representation, strong (RFC 9110 §8.8.3): `"7"`.
public struct EntityTag: Hashable, Sendable, CustomStringConvertible {
    /// The tag with its quotes, as headers carry it.
    public let description: String

    /// The tag of a row's version counter.
    public init(version: Int64) { description = "\"\(version)\"" }

    /// The tag of a content: the first 128 bits of its SHA-256 in hex.
    public init(content: [UInt8]) {
        var text = "\""
        for byte in SHA256.hash(data: content).prefix(16) {
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        description = text + "\""
    }

    /// Whether a header `If-Match` or `If-None-Match` names this tag, or is `*`.
    ///
    /// Weak tags never match.
    public func isNamed(by header: String) -> Bool {
        header.split(separator: ",").contains { part in
            let trimmed = part.drop { $0 == " " || $0 == "\t" }
            let end = trimmed.lastIndex { $0 != " " && $0 != "\t" }
            guard let end else { return false }
            return trimmed[...end] == "*" || trimmed[...end] == description
        }
    }
}

extension Format {
    /// What `If-Match` may say: visible ASCII, of which only entity tags can match.
    static let entityTags = Format(
        "entity_tags",
        pattern: "^[!-~]([ -~]{0,253}[!-~])?$",
        length: 1...255,
        description: "`*`, or entity tags.",
        example: "\"1\""
    ) { text in
        if text.utf8.count > 255 { return "too_long" }
        return !text.isEmpty && text.utf8.allSatisfy { (0x20...0x7E).contains($0) } ? nil : "bad_format"
    }
}

extension APIRequest {
    /// Holds `If-Match` against the present version; without the header nothing is held against it.
    ///
    /// - Throws: 412 `version_mismatch` when the client's version isn't the present one.
    public func requireMatch(_ present: EntityTag) throws(Problem) {
        guard let header = headers["If-Match"], !present.isNamed(by: header) else { return }
        throw Problem(412, "version_mismatch", "The resource has changed since you read it. Read it again and retry.")
    }

    /// Whether the client's copy by `If-None-Match` is the present one, so that 304 is enough.
    public func hasCurrent(_ present: EntityTag) -> Bool {
        headers["If-None-Match"].map(present.isNamed(by:)) ?? false
    }
}

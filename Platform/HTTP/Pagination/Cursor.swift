import Crypto
public import Kernel

/// A position in a list that is ordered by instant and id, newest first.
public struct Cursor: Hashable, Sendable {
    /// The instant of the last entry of the page before.
    public let instant: Timestamp
    /// Its id, which decides among entries of one instant.
    public let id: UInt128

    /// A position after an entry.
    public init(instant: Timestamp, id: UInt128) { (self.instant, self.id) = (instant, id) }
}

/// What makes cursors opaque and holds them to the list that they were made for.
///
/// A cursor is base64url of a version byte, instant, id and the first 128 bits of HMAC-SHA256 over them and the
/// filters.
public struct CursorSigner: Sendable {
    private static let version: UInt8 = 1
    private static let tagBytes = 16
    private static let payloadBytes = 1 + 8 + 16
    private let key: SymmetricKey

    /// A signer.
    ///
    /// The caller guarantees a secret key of at least 32 bytes, the same in every process.
    public init(key: [UInt8]) {
        precondition(key.count >= 32, "a cursor key of less than 32 bytes")
        self.key = SymmetricKey(data: key)
    }

    /// The text of a position; `filters` is everything else that the list was asked for, in a fixed order.
    public func sign(_ cursor: Cursor, filters: [String]) -> String {
        let payload = CursorSigner.payload(cursor)
        return Base64URL.encode(payload + tag(payload, filters))
    }

    /// The position in a text.
    ///
    /// - Throws: 422 `bad_cursor` for a cursor that we didn't make, or made for another list.
    public func open(_ text: String, filters: [String]) throws(Problem) -> Cursor {
        guard let bytes = Base64URL.decode(text), bytes.count == Self.payloadBytes + Self.tagBytes,
            bytes[0] == Self.version
        else { throw CursorSigner.refusal }
        let payload = Array(bytes.prefix(Self.payloadBytes))
        guard CursorSigner.areEqual(tag(payload, filters), Array(bytes.suffix(Self.tagBytes))) else {
            throw CursorSigner.refusal
        }
        let instant = payload[1..<9].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let id = payload[9..<25].reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        return Cursor(instant: Timestamp(microseconds: Int64(bitPattern: instant)), id: id)
    }

    private static let refusal = Problem(
        422,
        "bad_cursor",
        "The cursor isn't one of this list. Start again without it.",
        faults: [Problem.Fault("cursor", "bad_cursor")]
    )

    private static func payload(_ cursor: Cursor) -> [UInt8] {
        var bytes: [UInt8] = [version]
        let instant = UInt64(bitPattern: cursor.instant.microseconds)
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: instant >> UInt64(shift)))
        }
        for shift in stride(from: 120, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: cursor.id >> UInt128(shift)))
        }
        return bytes
    }

    private func tag(_ payload: [UInt8], _ filters: [String]) -> [UInt8] {
        var mac = HMAC<SHA256>(key: key)
        mac.update(data: payload)
        for filter in filters {
            // The length in front keeps ["ab", "c"] and ["a", "bc"] apart.
            mac.update(data: Array("\(filter.utf8.count):\(filter)".utf8))
        }
        return Array(mac.finalize().prefix(Self.tagBytes))
    }

    private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

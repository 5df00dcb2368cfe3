import Crypto
public import Kernel

/// The digests of the audit chain, which anyone can recompute from the rows.
///
/// - A row's digest is SHA-256 over its canonical bytes: the version `audit-1`, then each field in the order of
///   `AuditEntry` with `recordedAt` behind the id. A field is a byte 0 for nil, else a byte 1, its length in four
///   bytes, most significant first, and its bytes: texts in UTF-8, ids in sixteen bytes, instants as microseconds since
///   1970 in eight.
/// - A batch's digest is SHA-256 over its rows' digests in order.
/// - The head after a batch is SHA-256 over the head before it and the batch's digest; before the first it is 32 zeros.
public enum AuditDigest {
    /// The head of an empty chain.
    public static let genesis = [UInt8](repeating: 0, count: 32)

    /// The digest of a row.
    public static func of(_ entry: AuditEntry, recordedAt: Timestamp) -> [UInt8] {
        var bytes = Array("audit-1".utf8)
        bytes.reserveCapacity(512)
        bytes.append(field: integer(entry.id.value))
        bytes.append(field: integer(recordedAt.microseconds))
        bytes.append(field: Array(entry.actor.utf8))
        bytes.append(field: Array(entry.action.utf8))
        bytes.append(field: Array(entry.entity.utf8))
        bytes.append(field: entry.entityID.map(integer))
        bytes.append(field: entry.before.map(\.canonicalBytes))
        bytes.append(field: entry.after.map(\.canonicalBytes))
        bytes.append(field: entry.ip.map { Array($0.utf8) })
        bytes.append(field: entry.userAgent.map { Array($0.utf8) })
        bytes.append(field: entry.session.map(integer))
        bytes.append(field: entry.correlation.map(integer))
        return Array(SHA256.hash(data: bytes))
    }

    /// The digest of a batch from its rows' digests in order.
    public static func of(rows digests: some Sequence<[UInt8]>) -> [UInt8] {
        var hash = SHA256()
        for digest in digests { hash.update(data: digest) }
        return Array(hash.finalize())
    }

    /// The head after a batch.
    public static func head(after head: [UInt8], batch digest: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: head + digest))
    }

    private static func integer(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(field: [UInt8]?) {
        guard let field else {
            append(0)
            return
        }
        append(1)
        Swift.withUnsafeBytes(of: UInt32(field.count).bigEndian) { append(contentsOf: $0) }
        append(contentsOf: field)
    }
}

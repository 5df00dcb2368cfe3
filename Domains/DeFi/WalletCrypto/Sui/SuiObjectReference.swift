/// One version of an object of Sui: a coin, say.
public struct SuiObjectReference: Hashable, Sendable {
    /// The object's id, written like an address.
    public let id: SuiAddress
    /// Its version.
    public let version: UInt64
    /// The digest of its contents then, 32 bytes.
    public let digest: [UInt8]

    /// A version of an object; nil when the digest isn't of 32 bytes.
    public init?(id: SuiAddress, version: UInt64, digest: [UInt8]) {
        guard digest.count == 32 else { return nil }
        (self.id, self.version, self.digest) = (id, version, digest)
    }

    /// Reads one from the front of a BCS value.
    init?(_ reader: inout ByteReader) {
        guard let id = reader.take(32).flatMap(SuiAddress.init(bytes:)), let version = reader.littleEndian64(),
            let count = reader.uleb(), let digest = reader.take(count)
        else { return nil }
        self.init(id: id, version: version, digest: digest)
    }

    /// In BCS.
    var bytes: [UInt8] {
        var bytes = id.bytes
        bytes.append(littleEndian: version)
        bytes.append(uleb: digest.count)
        return bytes + digest
    }
}

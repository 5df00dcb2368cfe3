import Crypto

/// Why bytes can't be sealed with or opened.
public enum SealingError: Error, Hashable, Sendable {
    /// A key that isn't 32 bytes long.
    case keyLength
    /// Two keys with the same id in a ring.
    case duplicateKeyID
    /// Bytes that aren't an envelope of this form.
    case malformed
    /// An envelope of a key that isn't in the ring.
    case unknownKey(id: UInt32)
    /// Changed, or sealed with another key or other associated data.
    case notAuthentic
}

/// A ring of AES-256-GCM keys that seals small secrets into envelopes: the first seals, each opens what it sealed.
///
/// Envelope: version (1 byte, 1), key id (4 bytes, big-endian), nonce (12), ciphertext, tag (16).
/// Nonces are random, so a key is to be replaced before it has sealed 2^32 envelopes (NIST SP 800-38D §8.3).
public struct SealingKeys: Sendable {
    /// Bytes that an envelope is longer than its contents.
    public static let overheadBytes = 33
    private static let version: UInt8 = 1
    private static let headerBytes = 5

    private let currentID: UInt32
    private let keys: [UInt32: SymmetricKey]

    /// A ring of keys of 32 bytes, each with an id that is never used for another; the current one is first.
    ///
    /// - Throws: `keyLength`, `duplicateKeyID`.
    public init(
        current: (id: UInt32, key: [UInt8]),
        previous: [(id: UInt32, key: [UInt8])] = []
    )
        throws(SealingError)
    {
        var keys: [UInt32: SymmetricKey] = [:]
        for (id, key) in [current] + previous {
            guard key.count == 32 else { throw .keyLength }
            guard keys.updateValue(SymmetricKey(data: key), forKey: id) == nil else { throw .duplicateKeyID }
        }
        (self.currentID, self.keys) = (current.id, keys)
    }

    /// An envelope around `plaintext`, which opens only with the same associated data.
    public func seal(_ plaintext: [UInt8], associatedData: [UInt8]) -> [UInt8] {
        let header = [SealingKeys.version] + withUnsafeBytes(of: currentID.bigEndian) { Array($0) }
        guard let key = keys[currentID],
            let box = try? AES.GCM.seal(plaintext, using: key, authenticating: header + associatedData)
        else { preconditionFailure("AES-GCM refused a key of 32 bytes") }
        return header + Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    /// The contents of an envelope.
    ///
    /// - Throws: `malformed`, `unknownKey`, `notAuthentic`.
    public func open(_ envelope: [UInt8], associatedData: [UInt8]) throws(SealingError) -> [UInt8] {
        guard envelope.count >= SealingKeys.overheadBytes, envelope[0] == SealingKeys.version else { throw .malformed }
        let header = Array(envelope.prefix(SealingKeys.headerBytes))
        let id = header[1...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard let key = keys[id] else { throw .unknownKey(id: id) }
        guard let box = try? AES.GCM.SealedBox(combined: envelope.dropFirst(SealingKeys.headerBytes)),
            let plaintext = try? AES.GCM.open(box, using: key, authenticating: header + associatedData)
        else { throw .notAuthentic }
        return Array(plaintext)
    }

    /// Whether an envelope is of another key than the one that seals now, so that it should be sealed anew.
    public func needsResealing(_ envelope: [UInt8]) -> Bool {
        envelope.dropFirst().prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) } != currentID
    }
}

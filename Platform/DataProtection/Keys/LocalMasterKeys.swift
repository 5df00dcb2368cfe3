public import Cryptography

/// Why master keys can't be used.
public enum MasterKeyError: Error, Hashable, Sendable {
    /// There is no key at all.
    case none
    /// What was wrapped needs a key that isn't there.
    case unknown(String)
    /// Wrapped bytes that were changed, or wrapped for something else.
    case notAuthentic
}

/// Master keys on this machine: a directory that is read anew for every wrapping, or a ring that stays as it is.
///
/// The highest number wraps, so that a key that is added counts at once in every process that reads the directory.
public struct LocalMasterKeys: MasterKeys {
    private enum Source: Sendable {
        case directory(SecretKeyDirectory)
        case ring(SealingKeys, current: UInt32)
    }

    /// What the files of a directory are called: `master-NNNN.key`.
    public static let prefix = "master"
    private let source: Source

    /// The keys of a directory; a first one is made when there is none.
    ///
    /// - Throws: a `SecretKeyDirectory.Failure`.
    public init(directory: SecretKeyDirectory) throws(SecretKeyDirectory.Failure) {
        _ = try directory.open()
        source = .directory(directory)
    }

    /// Keys that don't change while the program runs; numbers are never used for another key.
    ///
    /// - Throws: `MasterKeyError.none` for an empty ring, `SealingError.keyLength` and `.duplicateKeyID`.
    public init(ring keys: [SecretKeyDirectory.Numbered]) throws {
        let (ring, current) = try LocalMasterKeys.ring(keys)
        source = .ring(ring, current: current)
    }

    /// The highest number.
    public func current() async throws -> String { String(try ring().current) }

    /// Wraps by the key with the highest number.
    public func wrap(_ key: [UInt8], context: [UInt8]) async throws -> WrappedKey {
        let (ring, current) = try ring()
        return WrappedKey(masterKey: String(current), bytes: ring.seal(key, associatedData: context))
    }

    /// Unwraps by the key that the wrapped bytes name themselves.
    ///
    /// - Throws: a `MasterKeyError`, or a `SecretKeyDirectory.Failure`.
    public func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> [UInt8] {
        do {
            return try ring().keys.open(wrapped.bytes, associatedData: context)
        } catch SealingError.unknownKey(let id) {
            throw MasterKeyError.unknown(String(id))
        } catch is SealingError {
            throw MasterKeyError.notAuthentic
        }
    }

    private func ring() throws -> (keys: SealingKeys, current: UInt32) {
        switch source {
        case .ring(let keys, let current): (keys, current)
        case .directory(let directory): try LocalMasterKeys.ring(try directory.read())
        }
    }

    private static func ring(_ keys: [SecretKeyDirectory.Numbered]) throws -> (keys: SealingKeys, current: UInt32) {
        let keys = keys.sorted { $0.number < $1.number }
        guard let newest = keys.last else { throw MasterKeyError.none }
        let ring = try SealingKeys(
            current: (newest.number, newest.key),
            previous: keys.dropLast().map { ($0.number, $0.key) }
        )
        return (ring, newest.number)
    }
}

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

/// Master keys on this machine: a directory that is read anew each time, or a ring that stays as it is.
///
/// Of a directory the highest number wraps, so that a key that is added counts at once in every process that reads it;
/// of a ring, the first key. A key is named by its number and a digest, so that two keys never pass for one.
public struct LocalMasterKeys: MasterKeys {
    private enum Source: Sendable {
        case directory(SecretKeyDirectory)
        case ring([SecretKeyDirectory.Numbered])
    }

    /// What the files of a directory are called: `master-NNNN.key`.
    public static let prefix = "master"
    private let source: Source

    /// The keys of a directory; a first one is made when something is to be wrapped and there is none.
    public init(directory: SecretKeyDirectory) { source = .directory(directory) }

    /// Keys that don't change while the program runs, the one that wraps first; numbers are never used for another.
    ///
    /// - Throws: `MasterKeyError.none` for an empty ring, `SealingError.keyLength` and `.duplicateKeyID`.
    public init(ring keys: [SecretKeyDirectory.Numbered]) throws {
        guard let first = keys.first else { throw MasterKeyError.none }
        _ = try SealingKeys(current: (first.number, first.key), previous: keys.dropFirst().map { ($0.number, $0.key) })
        source = .ring(keys)
    }

    /// The name of a key: its number, and the first bytes of a code by the key itself.
    public static func name(of key: SecretKeyDirectory.Numbered) -> String {
        let code = HMACSHA256.code(over: Array("diboas master key name".utf8), key: key.key)
        return "\(key.number)-" + Hex.encode(Array(code.prefix(4)))
    }

    /// The name of the key that wraps.
    public func current() async throws -> String { LocalMasterKeys.name(of: try newest()) }

    /// Wraps by the current key.
    public func wrap(_ key: [UInt8], context: [UInt8]) async throws -> WrappedKey {
        let newest = try newest()
        let sealing = try SealingKeys(current: (newest.number, newest.key))
        return WrappedKey(
            masterKey: LocalMasterKeys.name(of: newest),
            bytes: sealing.seal(key, associatedData: context)
        )
    }

    /// Unwraps by the key of that name.
    ///
    /// - Throws: a `MasterKeyError`, or a `SecretKeyDirectory.Failure`.
    public func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> [UInt8] {
        guard let master = try keys().first(where: { LocalMasterKeys.name(of: $0) == wrapped.masterKey }) else {
            throw MasterKeyError.unknown(wrapped.masterKey)
        }
        do {
            return try SealingKeys(current: (master.number, master.key)).open(wrapped.bytes, associatedData: context)
        } catch {
            throw MasterKeyError.notAuthentic
        }
    }

    private func keys() throws -> [SecretKeyDirectory.Numbered] {
        switch source {
        case .ring(let keys): keys
        case .directory(let directory): try directory.read()
        }
    }

    private func newest() throws -> SecretKeyDirectory.Numbered {
        let newest: SecretKeyDirectory.Numbered?
        switch source {
        case .ring(let keys): newest = keys.first
        case .directory(let directory): newest = try directory.open().last
        }
        guard let newest else { throw MasterKeyError.none }
        return newest
    }
}

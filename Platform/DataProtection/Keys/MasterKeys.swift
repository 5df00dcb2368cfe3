/// A key that was wrapped by a master key.
public struct WrappedKey: Hashable, Sendable {
    /// The name of the master key, 1 to 200 characters: which one a rotation goes by.
    public let masterKey: String
    /// What only that master key unwraps.
    public let bytes: [UInt8]

    /// A wrapped key.
    public init(masterKey: String, bytes: [UInt8]) { (self.masterKey, self.bytes) = (masterKey, bytes) }
}

/// The port to what holds the master keys: files and the environment by default, a key management service elsewhere.
///
/// Data is never encrypted under a master key: it wraps keys of 32 bytes. `context` says whose key it is; what was
/// wrapped in one context isn't unwrapped in another.
public protocol MasterKeys: Sendable {
    /// The name of the key that wraps now, as every process sees it.
    func current() async throws -> String

    /// Wraps a key of 32 bytes by the current master key.
    func wrap(_ key: [UInt8], context: [UInt8]) async throws -> WrappedKey

    /// The key of 32 bytes.
    ///
    /// - Throws: for a master key that isn't there any more, another context, and changed bytes.
    func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> [UInt8]
}

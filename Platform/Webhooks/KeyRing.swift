public import Kernel

/// Why configured keys are refused; in a vector this is `misconfigured_key`.
public enum KeyRingError: Error, Hashable, Sendable {
    /// No key at all.
    case noKeys
    /// More than `WebhookLimits.keysMax` keys.
    case tooManyKeys
    /// A key without text.
    case emptyKey(position: Int)
    /// A key of another kind: an API key, another provider's secret, a private key, or one that can't be read.
    case wrongKind(position: Int)
    /// A key that ends before it begins.
    case emptyPeriod(position: Int)
}

/// The keys that a provider's webhooks may be signed with: the current one first, then those in rotation.
public struct KeyRing: Sendable {
    /// A key as it is configured.
    public struct Key: Sendable {
        let text: String
        let notBefore: Timestamp?
        let notAfter: Timestamp?

        /// A key by the text that the provider shows, valid from `notBefore` until just before `notAfter`.
        public init(_ text: String, notBefore: Timestamp? = nil, notAfter: Timestamp? = nil) {
            (self.text, self.notBefore, self.notAfter) = (text, notBefore, notAfter)
        }
    }

    struct Entry: Sendable {
        let material: KeyMaterial
        let notBefore: Timestamp?
        let notAfter: Timestamp?
    }

    /// Whose keys these are.
    public let provider: WebhookProvider
    private let entries: [Entry]

    /// A ring of a provider's keys, in the order in which they are tried.
    ///
    /// - Throws: the first thing that is wrong with a key; a message of it never has the key.
    public init(_ provider: WebhookProvider, _ keys: [Key]) throws(KeyRingError) {
        guard !keys.isEmpty else { throw .noKeys }
        guard keys.count <= WebhookLimits.keysMax else { throw .tooManyKeys }
        var entries: [Entry] = []
        for (position, key) in keys.enumerated() {
            guard !key.text.isEmpty else { throw .emptyKey(position: position) }
            guard let material = KeyMaterial(provider, key.text) else { throw .wrongKind(position: position) }
            if let from = key.notBefore, let until = key.notAfter, until <= from {
                throw .emptyPeriod(position: position)
            }
            entries.append(Entry(material: material, notBefore: key.notBefore, notAfter: key.notAfter))
        }
        (self.provider, self.entries) = (provider, entries)
    }

    /// A ring of keys that are always valid.
    ///
    /// - Throws: as for keys with periods.
    public init(_ provider: WebhookProvider, texts: [String]) throws(KeyRingError) {
        try self.init(provider, texts.map { Key($0) })
    }

    /// The keys that are valid at an instant; refuses if there are none or they are of another provider.
    func valid(at now: Timestamp, for provider: WebhookProvider) throws(Refusal) -> [KeyMaterial] {
        let valid = entries.filter { entry in
            entry.notBefore.map { $0 <= now } ?? true && entry.notAfter.map { now < $0 } ?? true
        }
        guard provider == self.provider, !valid.isEmpty else { throw Refusal(.misconfiguredKey) }
        return valid.map(\.material)
    }
}

extension KeyRing: CustomStringConvertible, CustomReflectable {
    /// The provider and the number of keys, never a key.
    public var description: String { "\(provider.rawValue): \(entries.count) keys" }
    /// Never a key.
    public var customMirror: Mirror { Mirror(self, children: ["provider": provider, "keys": entries.count]) }
}

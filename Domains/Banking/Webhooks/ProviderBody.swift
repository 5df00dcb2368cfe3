import Kernel

/// An object in a provider's body, with the path by which faults in it are named.
struct ProviderBody: Sendable {
    let json: JSON
    private let path: String

    init(_ json: JSON) { self.init(json, path: "") }

    private init(_ json: JSON, path: String) { (self.json, self.path) = (json, path) }

    /// A member that has to be an object.
    func object(_ name: String) throws(ProviderEventError) -> ProviderBody {
        guard case .object? = json[name] else { throw fault(name) }
        return ProviderBody(json[name] ?? .null, path: path + name + ".")
    }

    /// A member that has to be a text with something in it.
    func text(_ name: String) throws(ProviderEventError) -> String {
        guard let text = json[name]?.stringValue, !text.isEmpty else { throw fault(name) }
        return text
    }

    /// A member that is a text, or nothing: null, another type and an empty text are nothing.
    func optionalText(_ name: String) -> String? {
        guard let text = json[name]?.stringValue, !text.isEmpty else { return nil }
        return text
    }

    /// A member that has to be an integer.
    func integer(_ name: String) throws(ProviderEventError) -> Int {
        guard let value = json[name]?.integerValue else { throw fault(name) }
        return value
    }

    /// A member that has to be an instant in RFC 3339, UTC.
    func instant(_ name: String) throws(ProviderEventError) -> Timestamp {
        guard let value = Timestamp(try text(name)) else { throw fault(name) }
        return value
    }

    /// A fault in a member.
    func fault(_ name: String) -> ProviderEventError { .malformed(path + name) }
}

extension ProviderBody {
    /// The transaction that a text names as ours; nil for anything else.
    static func transaction(_ text: String?) -> ID<BankTransaction>? { text.flatMap { ID(wire: $0) } }
}

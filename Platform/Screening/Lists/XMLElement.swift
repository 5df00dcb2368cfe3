/// An element of XML with all that is in it.
struct XMLElement: Hashable, Sendable {
    /// Its name without a prefix.
    let name: String
    /// Its attributes, their names without prefixes.
    var attributes: [String: String] = [:]
    /// Its text, trimmed.
    var text = ""
    /// Elements in it, in order.
    var children: [XMLElement] = []

    /// The text of the first child of a name; nil when it isn't there or empty.
    func text(_ name: String) -> String? {
        children.first { $0.name == name }.flatMap { $0.text.isEmpty ? nil : $0.text }
    }

    /// An attribute; nil when it isn't there or empty.
    func attribute(_ name: String) -> String? { attributes[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The children of a name.
    func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// The grandchildren of a name in children of another: `akaList`, `aka`.
    func all(_ list: String, _ name: String) -> [XMLElement] { all(list).flatMap { $0.all(name) } }
}

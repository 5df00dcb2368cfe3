import HTTPTypes

/// The head of a request as it came from the network or from a test.
struct RequestHead: Sendable {
    /// The method, upper case as it stood.
    let method: String
    /// The path, still encoded.
    let path: Substring
    /// The query, still encoded; empty for none.
    let query: Substring
    /// The header fields.
    let fields: HTTPFields
    /// The address of the peer.
    let remoteAddress: String

    /// A head from a request target: origin form, or absolute form (RFC 9112 §3.2.2).
    init(method: String, target: String, fields: HTTPFields, remoteAddress: String) {
        (self.method, self.fields, self.remoteAddress) = (method, fields, remoteAddress)
        var rest = target[...]
        if rest.utf8.first != UInt8(ascii: "/"), let scheme = ["http://", "https://"].first(where: rest.hasPrefix) {
            rest = rest.dropFirst(scheme.count)
            rest = rest[(rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex)...]
            if rest.isEmpty { rest = "/" }
        }
        if let hash = rest.utf8.firstIndex(of: UInt8(ascii: "#")) { rest = rest[..<hash] }
        guard let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) else {
            (path, query) = (rest, "")
            return
        }
        (path, query) = (rest[..<mark], rest[rest.utf8.index(after: mark)...])
    }
}

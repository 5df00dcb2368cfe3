/// A body or query in Stripe's form encoding: nested names in brackets, `metadata[tx]=txn_…`.
struct StripeForm: Sendable, Hashable {
    private(set) var pairs: [Pair] = []

    struct Pair: Sendable, Hashable {
        let name: String
        let value: String
    }

    /// A field by its path: `["metadata", "tx"]`.
    mutating func add(_ path: [String], _ value: String) {
        guard let first = path.first else { return }
        pairs.append(Pair(name: first + path.dropFirst().map { "[\($0)]" }.joined(), value: value))
    }

    /// A field of the first level.
    mutating func add(_ name: String, _ value: String) { add([name], value) }

    /// `application/x-www-form-urlencoded`, in the order of adding.
    var encoded: String {
        pairs.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }.joined(separator: "&")
    }
}

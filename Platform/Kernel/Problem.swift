/// What went wrong, in the form that a client gets it (RFC 9457).
public struct Problem: Error, Hashable, Sendable {
    /// One faulty part of a request.
    public struct Fault: Hashable, Sendable {
        /// Where: a JSON pointer into the body (`/amount`), or the name of a header or query parameter.
        public let pointer: String
        /// What is wrong, a stable word: `too_many_decimals`.
        public let code: String
        /// What the part would have had to keep to, as on the wire; nil where that is no single value.
        public let limit: String?
        /// What the part came to, in the same form.
        public let value: String?
        /// The name of the rule that says so, where somebody has set one.
        public let rule: String?

        /// A fault at a place.
        public init(
            _ pointer: String,
            _ code: String,
            limit: String? = nil,
            value: String? = nil,
            rule: String? = nil
        ) {
            (self.pointer, self.code, self.limit, self.value, self.rule) = (pointer, code, limit, value, rule)
        }
    }

    /// The HTTP status, 400 to 599.
    public let status: Int
    /// The stable word that programs decide by: `insufficient_funds`.
    public let code: String
    /// A sentence for people: what happened and what to do.
    public let detail: String
    /// The parts of the request that are at fault.
    public let faults: [Fault]
    /// Seconds after which the same request may succeed; nil when it won't by waiting.
    public let retryAfterSeconds: Int?

    /// A problem; `detail` says what happened and what to do about it.
    public init(_ status: Int, _ code: String, _ detail: String, faults: [Fault] = [], retryAfterSeconds: Int? = nil) {
        precondition((400...599).contains(status), "a problem with a status outside 400...599")
        (self.status, self.code, self.detail) = (status, code, detail)
        (self.faults, self.retryAfterSeconds) = (faults, retryAfterSeconds)
    }
}

/// An error that knows how it is told to a client.
public protocol ProblemConvertible: Error {
    /// The problem document's contents.
    var problem: Problem { get }
}

extension Problem: ProblemConvertible {
    /// Itself.
    public var problem: Problem { self }
}

/// The path of a route with its parameters in braces: `/v1/banking/payments/{id}`.
public struct PathTemplate: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// One part between two slashes.
    public enum Segment: Hashable, Sendable {
        /// Text that has to be there literally.
        case literal(String)
        /// A parameter's name.
        case parameter(String)
    }

    /// The template as it was written.
    public let description: String
    /// Its parts, in order.
    public let segments: [Segment]

    /// A template.
    ///
    /// The caller guarantees: a leading slash, no empty part, braces around whole parts, distinct parameters.
    public init(_ text: String) {
        precondition(text.hasPrefix("/"), "a path template without a leading slash: \(text)")
        description = text
        segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { part in
            precondition(!part.isEmpty, "an empty part in the path template \(text)")
            guard part.hasPrefix("{"), part.hasSuffix("}") else {
                precondition(!part.contains(where: { "{}?#% ".contains($0) }), "a stray character in \(text)")
                return .literal(String(part))
            }
            return .parameter(String(part.dropFirst().dropLast()))
        }
        precondition(Set(parameterNames).count == parameterNames.count, "a parameter twice in \(text)")
    }

    /// A template from a literal.
    public init(stringLiteral value: String) { self.init(value) }

    /// The names of the parameters, in order.
    public var parameterNames: [String] {
        segments.compactMap { segment in
            guard case .parameter(let name) = segment else { return nil }
            return name
        }
    }
}

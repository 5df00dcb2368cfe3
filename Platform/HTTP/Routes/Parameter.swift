/// A parameter of a route, in its path or its query.
public struct Parameter: Sendable {
    /// Where a parameter stands.
    public enum Location: String, Sendable {
        /// In the path template, always required.
        case path
        /// Behind the question mark.
        case query
    }

    /// Its name, as in the template or the query.
    public let name: String
    /// Where it stands.
    public let location: Location
    /// What it must look like: a string, an integer, a bool or a choice.
    public let schema: JSONSchema
    /// Whether a request without it is refused.
    public let isRequired: Bool
    /// What it means, for the documentation.
    public let description: String

    /// A parameter of the path.
    public static func path(_ name: String, _ schema: JSONSchema, _ description: String) -> Parameter {
        Parameter(name: name, location: .path, schema: schema, isRequired: true, description: description)
    }

    /// A parameter of the query, optional unless said otherwise.
    public static func query(
        _ name: String,
        _ schema: JSONSchema,
        _ description: String,
        isRequired: Bool = false
    ) -> Parameter {
        Parameter(name: name, location: .query, schema: schema, isRequired: isRequired, description: description)
    }

    /// The two parameters of every paged list: `limit` (1 to 100) and `cursor`.
    public static let paging: [Parameter] = [
        .query(
            "limit",
            .integer(1...Page.limitMax),
            "How many entries to answer with; \(Page.limitDefault) unless given."
        ),
        .query("cursor", .string(.cursor), "Where to go on: `next_cursor` of the previous page."),
    ]
}

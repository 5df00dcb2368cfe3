/// What an answer of a route looks like, for the documentation and for tests that hold answers against it.
public struct ResponseShape: Sendable {
    /// A header of an answer.
    public struct Header: Sendable {
        /// Its name.
        public let name: String
        /// What it looks like.
        public let schema: JSONSchema
        /// What it means.
        public let description: String

        /// A header by name.
        public init(_ name: String, _ schema: JSONSchema, _ description: String) {
            (self.name, self.schema, self.description) = (name, schema, description)
        }

        /// `Location`: where the created thing is.
        public static let location = Header("Location", .anyString, "Where the created resource is.")
        /// `ETag`: the version of the representation.
        public static let etag = Header("ETag", .anyString, "The version of the representation, for `If-Match`.")
        /// `Link`: where the next page is.
        public static let link = Header("Link", .anyString, "The next page, `rel=\"next\"`, if there is one.")
        /// `Idempotent-Replayed`: whether this answer is the stored one of an earlier request with the same key.
        public static let replayed = Header("Idempotent-Replayed", .oneOf(["true"]), "Present on a replayed answer.")
    }

    /// What is answered, for people.
    public let description: String
    /// The body as JSON; nil for none, or when `mediaType` says that it isn't JSON.
    public let schema: JSONSchema?
    /// The media type of the body; nil for none.
    public let mediaType: String?
    /// Headers that the answer carries.
    public let headers: [Header]
    /// What a client can do next with a member of the body, for the documentation and stateful tests.
    public let links: [Link]

    /// An answer with a JSON body.
    public init(_ description: String, _ schema: JSONSchema, headers: [Header] = [], links: [Link] = []) {
        (self.description, self.schema, self.mediaType) = (description, schema, "application/json")
        (self.headers, self.links) = (headers, links)
    }

    /// An answer without a body, or with one that isn't JSON.
    public init(_ description: String, mediaType: String? = nil, headers: [Header] = []) {
        (self.description, self.schema, self.mediaType) = (description, nil, mediaType)
        (self.headers, self.links) = (headers, [])
    }
}

extension ResponseShape {
    /// A hint that a member of the body is a parameter of another operation (OpenAPI link object).
    public struct Link: Sendable {
        /// The operation that can be called next.
        public let operationID: String
        /// Its parameter.
        public let parameter: String
        /// The JSON pointer of the member that is its value: `/id`.
        public let pointer: String

        /// A link to an operation.
        public init(to operationID: String, parameter: String, from pointer: String) {
            (self.operationID, self.parameter, self.pointer) = (operationID, parameter, pointer)
        }
    }
}

public import Kernel

/// What a handler answers.
public struct APIResponse: Sendable {
    /// The body of an answer.
    public enum Body: Sendable {
        /// None.
        case none
        /// JSON.
        case json(JSON)
        /// Bytes of a media type, as of a stored answer that is replayed.
        case bytes([UInt8], mediaType: String)
    }

    /// The HTTP status.
    public var status: Int
    /// Header fields beside those that every answer has.
    public var headers: Headers
    /// The body.
    public var body: Body

    /// An answer.
    public init(status: Int, headers: Headers = Headers(), body: Body = .none) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }

    /// 200 with JSON.
    public static func ok(_ json: JSON) -> APIResponse { APIResponse(status: 200, body: .json(json)) }

    /// 201 with JSON and where the created thing is.
    public static func created(_ json: JSON, location: String) -> APIResponse {
        APIResponse(status: 201, headers: ["Location": location], body: .json(json))
    }

    /// 202 with JSON and, if there is such a place, where the outcome will be.
    public static func accepted(_ json: JSON, location: String? = nil) -> APIResponse {
        APIResponse(status: 202, headers: location.map { ["Location": $0] } ?? Headers(), body: .json(json))
    }

    /// 204.
    public static let noContent = APIResponse(status: 204)

    /// The same answer with one more header field.
    public func with(_ name: String, _ value: String) -> APIResponse {
        var response = self
        response.headers.append(name, value)
        return response
    }

    /// The same answer with an `ETag`.
    public func tagged(_ tag: EntityTag) -> APIResponse { with("ETag", tag.description) }

    /// The bytes of the body and their media type; nil for none.
    public func encodedBody() -> (bytes: [UInt8], mediaType: String)? {
        switch body {
        case .none: nil
        case .json(let json): (json.serialized(), "application/json")
        case .bytes(let bytes, let mediaType): (bytes, mediaType)
        }
    }
}

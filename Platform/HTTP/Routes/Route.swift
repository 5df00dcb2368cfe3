/// One operation of the API: what it is called, who may call it, what it takes, what it gives, and what does it.
///
/// The same value routes requests, checks them, limits them and makes the OpenAPI document.
public struct Route: Sendable {
    /// What serves the request, once everything that the route declares has been checked.
    ///
    /// An error that is `ProblemConvertible` is answered as its problem, any other as 500 and logged.
    public typealias Handler = @Sendable (APIRequest) async throws -> APIResponse

    /// How a route treats `If-Match`.
    public enum Precondition: Sendable {
        /// It isn't read.
        case none
        /// It may be there; the handler compares it by `APIRequest.requireMatch`.
        case optional
        /// A request without it is refused with 428.
        case required
    }

    /// The method.
    public let method: HTTPMethod
    /// The path.
    public let path: PathTemplate
    /// The operation's name in the documentation and in generated clients: `createPayment`.
    ///
    /// Unique in an API.
    public let operationID: String
    /// What it does, in one line.
    public let summary: String
    /// More about it, in Markdown; empty for nothing.
    public let description: String
    /// The heading under which the documentation lists it: `Payments`.
    public let tag: String
    /// Who may call it.
    public let access: Access
    /// Whether the header `Idempotency-Key` is required.
    ///
    /// Storing and replaying is the handler's.
    public let isIdempotent: Bool
    /// How it treats `If-Match`.
    public let precondition: Precondition
    /// What stands in its path and query.
    public let parameters: [Parameter]
    /// What it takes.
    public let body: BodyKind
    /// The most bytes that it takes; more is 413.
    public let bodyLimitBytes: Int
    /// Its answers by status, without the problems.
    public let responses: [Int: ResponseShape]
    /// The problems that are its own, by status: `[422: ["insufficient_funds"]]`.
    ///
    /// Those that follow from the declaration (400, 401, 404, 413, …) are added to them.
    public let problems: [Int: [String]]
    /// How often a caller may call it; nil for as often as it likes.
    public let rateLimit: RateLimitClass?
    /// The class as this route is counted in it.
    let countedLimit: RateLimitClass?
    /// Seconds until the handler is cancelled and the client gets 503.
    public let timeoutSeconds: Int
    /// What does it.
    public let handler: Handler
    /// What serves the connection, if the route turns it into a WebSocket.
    var webSocket: WebSocketEndpoint?

    /// The default of `timeoutSeconds`.
    public static let timeoutSecondsDefault = 15

    /// A route.
    ///
    /// The caller guarantees that the path's parameters and the declared ones are the same, and at least one
    /// response.
    public init(
        _ method: HTTPMethod,
        _ path: PathTemplate,
        operationID: String,
        summary: String,
        description: String = "",
        tag: String,
        access: Access,
        isIdempotent: Bool = false,
        precondition: Precondition = .none,
        parameters: [Parameter] = [],
        body: BodyKind = .none,
        bodyLimitBytes: Int? = nil,
        responses: [Int: ResponseShape],
        problems: [Int: [String]] = [:],
        rateLimit: RateLimitClass? = .standard,
        timeoutSeconds: Int = Route.timeoutSecondsDefault,
        handler: @escaping Handler
    ) {
        let declared = parameters.filter { $0.location == .path }.map(\.name)
        Swift.precondition(declared.sorted() == path.parameterNames.sorted(), "undeclared path parameters in \(path)")
        Swift.precondition(!responses.isEmpty, "\(operationID) declares no response")
        Swift.precondition(
            responses.keys.allSatisfy { $0 == 101 || (200...399).contains($0) },
            "a problem among the responses"
        )
        Swift.precondition(problems.keys.allSatisfy { (400...599).contains($0) }, "no problem's status")
        (self.method, self.path, self.operationID) = (method, path, operationID)
        (self.summary, self.description, self.tag) = (summary, description, tag)
        (self.access, self.isIdempotent, self.precondition) = (access, isIdempotent, precondition)
        (self.parameters, self.body, self.responses, self.problems) = (parameters, body, responses, problems)
        self.bodyLimitBytes = bodyLimitBytes ?? Route.defaultLimit(of: body)
        (self.rateLimit, self.timeoutSeconds, self.handler) = (rateLimit, timeoutSeconds, handler)
        countedLimit = rateLimit?.counting(operationID)
    }

    private static func defaultLimit(of body: BodyKind) -> Int {
        if case .raw = body { return BodyKind.rawLimitBytesDefault }
        return BodyKind.limitBytesDefault
    }
}

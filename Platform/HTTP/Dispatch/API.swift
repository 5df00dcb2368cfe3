import HTTPTypes
public import Kernel
public import Logging
public import Metrics

/// A set of routes with all that stands in front of their handlers: everything of an API but the network.
///
/// The order of a request's life: route, screen, authenticate, rate limit, permission, headers, parameters, body,
/// handler.
public final class API: Sendable {
    /// What an API leans on.
    public struct Services: Sendable {
        /// Turns tokens into callers.
        public var authenticator: any Authenticator
        /// Counts requests.
        public var rateLimiter: any RateLimiter
        /// Where `APIRequest.now` comes from.
        public var clock: any WallClock
        /// Mints request ids.
        public var ids: IDGenerator
        /// Where unforeseen errors go, once each.
        public var logger: Logger
        /// Where the request metrics go.
        public var metrics: any MetricsFactory
        /// What all who have signed in may ask from one network of this process; none for the machine itself.
        public var networkLimit = RateLimitClass.network
        /// Recognises what no request may contain; nil to look for nothing.
        public var privateMaterial: (any PrivateMaterialFinder)?

        /// Services; what isn't said is the machine's clock, a limiter in memory, and the process's metrics.
        public init(
            authenticator: any Authenticator,
            rateLimiter: any RateLimiter = LocalRateLimiter(),
            clock: any WallClock = SystemClock(),
            ids: IDGenerator = IDGenerator(),
            logger: Logger = Logger(label: "http"),
            metrics: any MetricsFactory = MetricsSystem.factory,
            privateMaterial: (any PrivateMaterialFinder)? = nil
        ) {
            (self.authenticator, self.rateLimiter, self.clock) = (authenticator, rateLimiter, clock)
            (self.ids, self.logger, self.metrics) = (ids, logger, metrics)
            self.privateMaterial = privateMaterial
        }
    }

    /// The routes that it serves, the operational ones included.
    public let routes: [Route]
    let services: Services
    let operations: Operations
    let router: Router
    let requestMetrics: RequestMetrics
    let screen: RequestScreen
    let failedAuthentications: Counter
    let networks = LocalRateLimiter()
    private let security: [HTTPField]

    /// An API over routes.
    ///
    /// The caller guarantees distinct operation ids and one route per method and path.
    ///
    /// - Parameters:
    ///   - routes: what it serves besides the operational routes.
    ///   - description: what the documentation says about it.
    ///   - operations: `/livez`, `/readyz`, `/metrics`, `/openapi.json` and `/docs` are served with these.
    ///   - services: what it leans on.
    public init(
        _ routes: [Route],
        description: APIDescription,
        operations: Operations = Operations(),
        services: Services
    ) {
        let all = operations.routes(documenting: routes, description: description)
        precondition(Set(all.map(\.operationID)).count == all.count, "two routes with one operation id")
        self.routes = all
        self.services = services
        self.operations = operations
        router = Router(all)
        requestMetrics = RequestMetrics(all, factory: services.metrics)
        security = CommonFields.security(under: description.serverURL)
        screen = RequestScreen(finder: services.privateMaterial, metrics: services.metrics)
        failedAuthentications = Counter(label: "http_authentication_failures_total", factory: services.metrics)
    }

    /// Answers a request without a network, as the server would: for tests and for callers in the same process.
    public func respond(
        _ method: String,
        _ target: String,
        headers: Headers = Headers(),
        body: [UInt8] = [],
        remoteAddress: String = "127.0.0.1"
    ) async -> APIResponse {
        let head = RequestHead(
            method: method,
            target: target,
            fields: headers.fields,
            remoteAddress: remoteAddress
        )
        switch await admit(head) {
        case .answered(let response, let exchange): return seal(response, exchange)
        case .admitted(let admitted):
            guard body.count <= admitted.route.bodyLimitBytes else {
                return seal(bodyTooLarge(admitted), admitted.exchange)
            }
            return seal(await finish(admitted, body: body), admitted.exchange)
        }
    }

    /// What every answer carries, and the end of the measurement.
    func seal(_ response: APIResponse, _ exchange: Exchange) -> APIResponse {
        requestMetrics.record(exchange, status: response.status)
        exchange.span?.end(status: response.status)
        var response = response
        if response.headers.fields.isEmpty {
            response.headers.fields.append(contentsOf: security)
        } else {
            // A handler's own word counts: the documentation page has another content security policy.
            for field in security where !response.headers.fields.contains(field.name) {
                response.headers.fields.append(field)
            }
        }
        response.headers.fields.append(CommonFields.requestID(exchange.requestID))
        if let (limitClass, decision) = exchange.rateLimit {
            response.headers.fields.append(CommonFields.policy(limitClass))
            response.headers.fields.append(CommonFields.limit(limitClass, decision))
        }
        return response
    }

    func problem(_ problem: Problem, _ exchange: Exchange) -> APIResponse {
        ProblemDocument.response(problem, requestID: exchange.requestID.wire)
    }

    func bodyTooLarge(_ admitted: Admission.Admitted) -> APIResponse {
        let limit = admitted.route.bodyLimitBytes
        return problem(
            Problem(413, "body_too_large", "The body may have at most \(limit) bytes."),
            admitted.exchange
        )
    }
}

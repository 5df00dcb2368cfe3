import HTTPTypes
import Kernel
import Metrics
import Traces
import Tracing

extension API {
    /// Everything that can be decided by a request's head.
    func admit(_ head: RequestHead) async -> Admission {
        var exchange = Exchange(
            requestID: services.ids.next(),
            startedAt: MonotonicTime.nanoseconds(),
            isHead: head.method == "HEAD"
        )
        if Traces.isOn { exchange.span = span(of: head, exchange) }
        do {
            guard let (endpoint, values) = router.match(head.path) else {
                return .answered(unmatched(head, exchange), exchange)
            }
            let method = exchange.isHead ? HTTPMethod.get : HTTPMethod(rawValue: head.method)
            guard let method, let index = endpoint.index(of: method) else {
                return .answered(methodAnswer(head, endpoint, exchange), exchange)
            }
            (exchange.route, exchange.methodLabel) = (index, head.method)
            exchange.span?.operationName = "\(method.rawValue) \(routes[index].path)"
            let span = exchange.span
            return .admitted(
                try await Traces.within(span) { try await admit(head, routes[index], values, &exchange) }
            )
        } catch {
            return .answered(response(to: error, exchange), exchange)
        }
    }

    /// A request's span: a part of the client's trace, if it named one.
    private func span(of head: RequestHead, _ exchange: Exchange) -> RecordedSpan? {
        let parent = RequestFields(head.fields).traceparent.flatMap { TraceParent($0) }
        let span = Traces.begin("HTTP request", .server, parent: parent)
        span?.attributes["request.id"] = exchange.requestID.wire
        return span
    }

    private func admit(
        _ head: RequestHead,
        _ route: Route,
        _ values: [Substring],
        _ exchange: inout Exchange
    ) async throws -> Admission.Admitted {
        try screen.check(head)
        let fields = RequestFields(head.fields)
        var request = APIRequest(
            id: exchange.requestID,
            operationID: route.operationID,
            method: route.method,
            wireMethod: head.method,
            path: String(head.path),
            rawQuery: String(head.query),
            headers: Headers(head.fields),
            remoteAddress: head.remoteAddress,
            now: services.clock.now(),
            trace: exchange.span?.place ?? fields.traceparent.flatMap { TraceParent($0) },
            principal: nil,
            parameters: [:],
            body: .null,
            rawBody: [],
            idempotencyKey: nil
        )
        // A WebSocket may be opened without a token, but not with a wrong one.
        if route.access != .public || (route.webSocket != nil && fields.authorization != nil) {
            do {
                try await authenticate(&request, fields)
            } catch let refusal as Problem where refusal.status == 401 && fields.authorization != nil {
                // Who tries tokens is counted by address, and told to wait instead of being told more.
                failedAuthentications.increment()
                try await countRequest(request, route, &exchange)
                throw refusal
            }
        }
        try await countRequest(request, route, &exchange)
        try await authorize(&request, route)
        if let duplicate = fields.duplicate { throw Problem.malformed("duplicate_header", in: duplicate) }
        request.idempotencyKey = try idempotencyKey(fields, route)
        try checkPrecondition(fields, route)
        request.parameters = try ParameterReader.read(route, values, head.query)
        if case .json = route.body, !fields.isJSON {
            throw Problem(415, "unsupported_media_type", "Send the body as `Content-Type: application/json`.")
        }
        let admitted = Admission.Admitted(route: route, request: request, exchange: exchange)
        if let length = fields.contentLength, length > route.bodyLimitBytes {
            throw Problem(413, "body_too_large", "The body may have at most \(route.bodyLimitBytes) bytes.")
        }
        return admitted
    }

    /// Finds out who calls, by the token or the signature in `Authorization`.
    private func authenticate(_ request: inout APIRequest, _ fields: RequestFields) async throws {
        guard fields.duplicate != "authorization" else { throw Problem.unauthenticated }
        if let token = fields.bearerToken {
            request.principal = try await services.authenticator.principal(bearer: token, request: request)
        } else if let signature = fields.authorization.flatMap({ RequestSignature(authorization: $0) }) {
            request.principal = try await services.authenticator.principal(signed: signature, request: request)
            request.signedBodyHash = signature.bodyHash
        } else {
            throw Problem.unauthenticated
        }
    }

    /// The one place where it is decided whether a caller may call a route.
    ///
    /// What is known of a session may be some seconds old, so a step-up that is missing is looked for anew.
    private func authorize(_ request: inout APIRequest, _ route: Route) async throws {
        guard let principal = request.principal, let refusal = principal.refusal(of: route.access, at: request.now)
        else { return }
        guard refusal != .forbidden else { throw refusal }
        let fresh = try await services.authenticator.refreshed(principal)
        if let refusal = fresh.refusal(of: route.access, at: request.now) { throw refusal }
        request.principal = fresh
    }

    private func countRequest(_ request: APIRequest, _ route: Route, _ exchange: inout Exchange) async throws {
        guard let limitClass = route.rateLimit else { return }
        let principal = limitClass.scope == .principal ? request.principal : nil
        let network = NetworkName.of(request.remoteAddress)
        if principal != nil, !NetworkName.isLocal(request.remoteAddress) {
            // Many accounts in one hand are one flood.
            let wide = networks.decide(network, in: services.networkLimit, at: request.now)
            guard wide.isAllowed else { throw API.tooMany(wide) }
        }
        let caller = principal.map { $0.key ?? $0.user.description } ?? network
        // Who hasn't signed in is counted on all routes of a class together: else each would be another chance.
        let counted = principal == nil ? limitClass : route.countedLimit ?? limitClass
        let decision = await services.rateLimiter.count(caller, in: counted, at: request.now)
        exchange.rateLimit = (limitClass, decision)
        guard decision.isAllowed else { throw API.tooMany(decision) }
    }

    private static func tooMany(_ decision: RateLimitDecision) -> Problem {
        Problem(
            429,
            "rate_limited",
            "Too many requests. Wait as long as `Retry-After` says.",
            retryAfterSeconds: decision.resetSeconds
        )
    }

    /// 1 to 255 visible ASCII characters, as draft-ietf-httpapi-idempotency-key-header leaves to the server.
    private func idempotencyKey(_ fields: RequestFields, _ route: Route) throws(Problem) -> String? {
        guard route.isIdempotent else { return nil }
        guard let key = fields.idempotencyKey, !key.isEmpty else {
            throw Problem(
                400,
                "idempotency_key_required",
                "Send a fresh `Idempotency-Key` with each payment that you intend, the same one when you retry it.",
                faults: [Problem.Fault("Idempotency-Key", "missing")]
            )
        }
        guard key.utf8.count <= 255 else { throw .malformed("too_long", in: "Idempotency-Key") }
        guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .malformed("bad_format", in: "Idempotency-Key")
        }
        return key
    }

    private func checkPrecondition(_ fields: RequestFields, _ route: Route) throws(Problem) {
        if case .none = route.precondition { return }
        if let header = fields.ifMatch {
            if let code = Format.entityTags.fault(in: header) { throw .malformed(code, in: "If-Match") }
            return
        }
        guard case .required = route.precondition else { return }
        throw Problem(
            428,
            "precondition_required",
            "Send `If-Match` with the `ETag` of the version that you have read.",
            faults: [Problem.Fault("If-Match", "missing")]
        )
    }

    private func unmatched(_ head: RequestHead, _ exchange: Exchange) -> APIResponse {
        if head.method == "OPTIONS", head.path == "*" { return .noContent }
        return problem(.notFound, exchange)
    }

    private func methodAnswer(_ head: RequestHead, _ endpoint: Router.Endpoint, _ exchange: Exchange) -> APIResponse {
        if head.method == "OPTIONS" { return APIResponse.noContent.with("Allow", endpoint.allow) }
        let refusal = Problem(405, "method_not_allowed", "Use one of the methods in `Allow`.")
        return problem(refusal, exchange).with("Allow", endpoint.allow)
    }
}

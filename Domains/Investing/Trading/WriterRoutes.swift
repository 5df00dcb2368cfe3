import HTTP
import Kernel
import OutboundHTTP

/// Lets routes work in whichever process a request arrives: where another one writes, the request is handed on.
struct WriterRoutes: Sendable {
    private static let deadlineSeconds = 10.0

    let desk: TradingDesk
    let client: HTTPClient
    let handOver: HandOver

    /// The same route, served by the process that writes; a request that was handed on once isn't handed on again.
    func atWriter(_ route: Route) -> Route {
        Route(
            route.method,
            route.path,
            operationID: route.operationID,
            summary: route.summary,
            description: route.description,
            tag: route.tag,
            access: route.access,
            isIdempotent: route.isIdempotent,
            precondition: route.precondition,
            parameters: route.parameters,
            body: route.body,
            bodyLimitBytes: route.bodyLimitBytes,
            responses: route.responses,
            problems: route.problems,
            rateLimit: route.rateLimit,
            timeoutSeconds: route.timeoutSeconds
        ) { request in
            if desk.isWriter || request.headers[HandOver.header] != nil { return try await route.handler(request) }
            return try await handOn(request)
        }
    }

    private func handOn(_ request: APIRequest) async throws -> APIResponse {
        guard let address = try await desk.lease.owner()?.address,
            let method = OutboundRequest.Method(rawValue: request.method.rawValue)
        else { throw WriterElsewhere() }
        let query = request.rawQuery.isEmpty ? "" : "?" + request.rawQuery
        let kept = ["authorization", "content-type", "idempotency-key", "if-match", "traceparent", "user-agent"]
        let headers = request.headers.all.filter { kept.contains($0.name.lowercased()) }
        var handed = OutboundRequest(
            method,
            address + request.path + query,
            headers: headers.map { OutboundHeader($0.name, $0.value) } + [
                OutboundHeader(HandOver.header, handOver.mark(of: request))
            ],
            body: request.rawBody
        )
        handed.deadlineSeconds = WriterRoutes.deadlineSeconds
        // Each carries its Idempotency-Key, so that asking twice does nothing twice.
        handed.isIdempotent = false
        let answer = try await client.send(handed)
        var response = APIResponse(status: answer.status)
        for header in answer.headers where WriterRoutes.passes.contains(header.name.lowercased()) {
            response.headers.append(header.name, header.value)
        }
        let mediaType = answer.headers.first { $0.name.lowercased() == "content-type" }?.value
        if !answer.body.isEmpty { response.body = .bytes(answer.body, mediaType: mediaType ?? "application/json") }
        return response
    }

    private static let passes: Set<String> = ["location", "etag", "link", "retry-after", "idempotent-replayed"]
}

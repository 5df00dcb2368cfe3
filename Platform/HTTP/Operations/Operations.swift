import Kernel
import Synchronization

/// What the people who run the server ask it: is it alive, is it ready, how is it doing, how is it used.
public struct Operations: Sendable {
    /// Something without which the server can't do its work.
    public struct ReadinessCheck: Sendable {
        let name: String
        let check: @Sendable () async throws -> Void

        /// A check by name (`postgresql`) that throws while the server shouldn't get requests.
        public init(_ name: String, _ check: @escaping @Sendable () async throws -> Void) {
            (self.name, self.check) = (name, check)
        }
    }

    final class Drain: Sendable {
        let hasBegun = Atomic(false)
    }

    let checks: [ReadinessCheck]
    let metrics: (@Sendable () -> String)?
    let metricsAccess: Access
    let drain = Drain()

    /// Operational routes.
    ///
    /// - Parameters:
    ///   - checks: what `/readyz` asks, all at once.
    ///   - metrics: the text of `/metrics`; without it there is no such route.
    ///   - metricsAccess: who may read `/metrics`.
    public init(
        checks: [ReadinessCheck] = [],
        metrics: (@Sendable () -> String)? = nil,
        metricsAccess: Access = .public
    ) {
        (self.checks, self.metrics, self.metricsAccess) = (checks, metrics, metricsAccess)
    }

    /// From now on `/readyz` says no, so that nobody sends requests to a server that is about to stop.
    func beginDrain() { drain.hasBegun.store(true, ordering: .releasing) }

    /// Whether the server is about to stop.
    var isDraining: Bool { drain.hasBegun.load(ordering: .acquiring) }

    /// The routes given, then the operational ones, then the two that document all of them.
    func routes(documenting routes: [Route], description: APIDescription) -> [Route] {
        var all = routes + [livez, readyz]
        if let metrics { all.append(metricsRoute(metrics)) }
        let documented = all + [documentRoute([]), pageRoute([])]
        let document = OpenAPIDocument.json(documented, description).serialized()
        return all + [documentRoute(document), pageRoute(DocsPage.html(document: document, description))]
    }
}

extension Operations {
    private static let tag = "Operations"

    private var livez: Route {
        Route(
            .get,
            "/livez",
            operationID: "livez",
            summary: "Whether the process serves requests at all",
            tag: Operations.tag,
            access: .public,
            responses: [200: ResponseShape("It does.", Operations.state)],
            rateLimit: nil
        ) { _ in .ok(["status": "ok"]) }
    }

    private var readyz: Route {
        Route(
            .get,
            "/readyz",
            operationID: "readyz",
            summary: "Whether the server should get requests",
            tag: Operations.tag,
            access: .public,
            responses: [200: ResponseShape("It should.", Operations.state)],
            problems: [503: ["draining", "not_ready"]],
            rateLimit: nil,
            timeoutSeconds: 5
        ) { _ in try await readiness() }
    }

    private static let state = JSONSchema.object([.required("status", .oneOf(["ok"]))], named: "OperationalState")

    private func readiness() async throws -> APIResponse {
        if isDraining {
            throw Problem(503, "draining", "The server is stopping.", retryAfterSeconds: 5)
        }
        let failed = await withTaskGroup(of: String?.self) { group in
            for check in checks {
                group.addTask {
                    do {
                        try await check.check()
                        return nil
                    } catch {
                        return check.name
                    }
                }
            }
            return await group.reduce(into: [String]()) { names, name in
                if let name { names.append(name) }
            }
        }
        guard failed.isEmpty else {
            throw Problem(
                503,
                "not_ready",
                "Something that the server needs is away; `errors` says what.",
                faults: failed.sorted().map { Problem.Fault($0, "failed") },
                retryAfterSeconds: 1
            )
        }
        return .ok(["status": "ok"])
    }

    /// Whether a request comes from this machine; one without an address comes from this process.
    private static func isLocal(_ address: String) -> Bool {
        address.isEmpty || address == "::1" || address.hasPrefix("127.") || address.hasPrefix("::ffff:127.")
    }

    private func metricsRoute(_ text: @escaping @Sendable () -> String) -> Route {
        let mediaType = "text/plain; version=0.0.4; charset=utf-8"
        return Route(
            .get,
            "/metrics",
            operationID: "metrics",
            summary: "Measurements in Prometheus' text format",
            description: "For who collects them on this machine; to anybody else there is no such route.",
            tag: Operations.tag,
            access: metricsAccess,
            responses: [200: ResponseShape("The measurements.", mediaType: "text/plain")],
            problems: [404: ["not_found"]],
            rateLimit: nil
        ) { request in
            guard Operations.isLocal(request.remoteAddress) else { throw Problem.notFound }
            return APIResponse(status: 200, body: .bytes(Array(text().utf8), mediaType: mediaType))
        }
    }

    private func documentRoute(_ document: [UInt8]) -> Route {
        let tag = EntityTag(content: document)
        return Route(
            .get,
            "/openapi.json",
            operationID: "openapi",
            summary: "This API as an OpenAPI 3.1 document",
            tag: Operations.tag,
            access: .public,
            responses: [
                200: ResponseShape("The document.", .any, headers: [.etag]),
                304: ResponseShape("The copy that `If-None-Match` names is current."),
            ],
            rateLimit: nil
        ) { request in
            if request.hasCurrent(tag) { return APIResponse(status: 304).tagged(tag) }
            return APIResponse(status: 200, body: .bytes(document, mediaType: "application/json")).tagged(tag)
        }
    }

    private func pageRoute(_ page: [UInt8]) -> Route {
        Route(
            .get,
            "/docs",
            operationID: "docs",
            summary: "This API as a page for people",
            tag: Operations.tag,
            access: .public,
            responses: [200: ResponseShape("The page.", mediaType: "text/html")],
            rateLimit: nil
        ) { _ in
            APIResponse(
                status: 200,
                headers: ["Content-Security-Policy": DocsPage.contentSecurityPolicy],
                body: .bytes(page, mediaType: "text/html; charset=utf-8")
            )
        }
    }
}

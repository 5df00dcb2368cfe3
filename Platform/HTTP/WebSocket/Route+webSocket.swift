extension Route {
    /// A route that becomes a WebSocket.
    ///
    /// Whoever sends a token is authenticated by it, and refused if it doesn't count; browsers, which can't, open the
    /// connection without one.
    public static func webSocket(
        _ path: PathTemplate,
        operationID: String,
        summary: String,
        description: String = "",
        tag: String,
        rateLimit: RateLimitClass? = .standard,
        endpoint: WebSocketEndpoint
    ) -> Route {
        var route = Route(
            .get,
            path,
            operationID: operationID,
            summary: summary,
            description: description,
            tag: tag,
            access: .public,
            responses: [
                101: ResponseShape(
                    "The connection is a WebSocket from here on (RFC 6455).",
                    headers: [.init("Sec-WebSocket-Accept", .anyString, "Proof that the key was read.")]
                )
            ],
            problems: [
                401: ["unauthenticated"], 426: ["upgrade_required"], 429: ["too_many_connections"],
                503: ["too_many_connections", "draining"],
            ],
            rateLimit: rateLimit
        ) { _ in throw WebSocketHandshake.upgradeRequired }
        route.webSocket = endpoint
        return route
    }
}

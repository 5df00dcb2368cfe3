import Kernel

/// Routes as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0).
enum OpenAPIDocument {
    static func json(_ routes: [Route], _ description: APIDescription) -> JSON {
        var schemas: [String: JSONSchema] = [:]
        ProblemDocument.schema.collectNamed(into: &schemas)
        for route in routes { collect(route, into: &schemas) }
        var tags: [String] = []
        for route in routes where !tags.contains(route.tag) { tags.append(route.tag) }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": .string(description.title), "version": .string(description.version),
                "description": .string(description.text),
            ],
            "servers": [["url": .string(description.serverURL ?? "/")]],
            "tags": .array(tags.map { ["name": .string($0)] }),
            "paths": paths(routes),
            "components": [
                "schemas": .object(
                    schemas.sorted { $0.key < $1.key }.map { JSON.Member($0.key, $0.value.written()) }
                ),
                "securitySchemes": [
                    "bearer": ["type": "http", "scheme": "bearer", "description": "The access token of a session."],
                    "signature": [
                        "type": "apiKey", "in": "header", "name": "Authorization",
                        "description": .string(signatureText),
                    ],
                ],
            ],
        ]
    }

    private static let signatureText = """
        For programs: `Diboas-Key id=key_…, time=MILLISECONDS, body=SHA256HEX, signature=BASE64URL`. The signature \
        (HMAC-SHA256 or Ed25519) is over time, method, path with query and body hash, joined by line feeds. Every \
        operation whose permission is in a scope of the key takes it in the place of a token.
        """

    private static func collect(_ route: Route, into schemas: inout [String: JSONSchema]) {
        if case .json(let schema) = route.body { schema.collectNamed(into: &schemas) }
        for parameter in route.parameters { parameter.schema.collectNamed(into: &schemas) }
        for response in route.responses.values { response.schema?.collectNamed(into: &schemas) }
    }

    private static func paths(_ routes: [Route]) -> JSON {
        var order: [String] = []
        var byPath: [String: [JSON.Member]] = [:]
        for route in routes {
            let path = route.path.description
            if byPath[path] == nil { order.append(path) }
            byPath[path, default: []].append(JSON.Member(route.method.rawValue.lowercased(), operation(route)))
        }
        return .object(order.map { JSON.Member($0, .object(byPath[$0] ?? [])) })
    }

    private static func operation(_ route: Route) -> JSON {
        var members: [JSON.Member] = [
            JSON.Member("operationId", .string(route.operationID)), JSON.Member("summary", .string(route.summary)),
            JSON.Member("tags", [.string(route.tag)]),
        ]
        let description = text(of: route)
        if !description.isEmpty { members.append(JSON.Member("description", .string(description))) }
        members.append(JSON.Member("security", route.access == .public ? [] : [["bearer": []]]))
        let parameters = route.parameters.map(parameter) + headers(of: route)
        if !parameters.isEmpty { members.append(JSON.Member("parameters", .array(parameters))) }
        if let body = body(route.body) { members.append(JSON.Member("requestBody", body)) }
        members.append(JSON.Member("responses", ResponseDocument.json(route)))
        return .object(members)
    }

    private static func text(of route: Route) -> String {
        var parts = route.description.isEmpty ? [] : [route.description]
        if let permission = route.access.permission { parts.append("Permission: `\(permission)`.") }
        if route.access.needsStepUp {
            parts.append("Needs a second factor that was proven in the session in the last minutes.")
        }
        if let limit = route.rateLimit {
            parts.append("Rate limit `\(limit.name)`: \(limit.quota) requests in \(limit.windowSeconds) s.")
        }
        return parts.joined(separator: "\n\n")
    }

    private static func parameter(_ parameter: Parameter) -> JSON {
        [
            "name": .string(parameter.name), "in": .string(parameter.location.rawValue),
            "required": .bool(parameter.isRequired), "description": .string(parameter.description),
            "schema": parameter.schema.openAPI(),
        ]
    }

    private static func headers(of route: Route) -> [JSON] {
        var headers: [JSON] = []
        if route.isIdempotent {
            headers.append([
                "name": "Idempotency-Key", "in": "header", "required": true,
                "description": "Names the intent: the same key with the same request is carried out once.",
                "schema": [
                    "type": "string", "minLength": .integer(1), "maxLength": .integer(255), "pattern": "^[!-~]{1,255}$",
                ],
            ])
        }
        if case .none = route.precondition { return headers }
        let isRequired = if case .required = route.precondition { true } else { false }
        headers.append([
            "name": "If-Match", "in": "header", "required": .bool(isRequired),
            "description": "The `ETag` of the version that the change is meant for.",
            "schema": JSONSchema.string(.entityTags).written(),
        ])
        return headers
    }

    private static func body(_ body: BodyKind) -> JSON? {
        switch body {
        case .none: nil
        case .json(let schema):
            ["required": true, "content": ["application/json": ["schema": schema.openAPI()]]]
        case .raw(let mediaType): ["required": false, "content": .object([JSON.Member(mediaType, ["schema": [:]])])]
        }
    }
}

import Kernel

/// The answers of a route in the OpenAPI document: those declared, and the problems that follow from its declaration.
enum ResponseDocument {
    static func json(_ route: Route) -> JSON {
        let declared = route.responses.map { status, shape in (status, response(shape)) }
        let problems = problems(of: route).map { status, codes in (status, problem(status, codes)) }
        let members = (declared + problems).sorted { $0.0 < $1.0 }.map { JSON.Member(String($0.0), $0.1) }
        return .object(members + [JSON.Member("default", problem(0, []))])
    }

    /// The codes of the problems that a route can give, by status.
    static func problems(of route: Route) -> [Int: [String]] {
        var codes: [Int: [String]] = [
            400: ["invalid_request"], 404: ["not_found"], 405: ["method_not_allowed"], 500: ["internal_error"],
            503: ["timeout", "cancelled"],
        ]
        if route.access != .public {
            codes[401] = ["unauthenticated", "timestamp_out_of_window", "signature_replayed"]
        }
        if route.access.permission != nil { codes[403] = ["forbidden", "address_not_allowed"] }
        if route.access.needsStepUp { codes[403, default: []] += ["two_factor_required", "step_up_required"] }
        if route.isIdempotent {
            codes[400, default: []].append("idempotency_key_required")
            codes[409] = ["idempotency_key_in_use"]
            codes[422, default: []].append("idempotency_key_reused")
        }
        if route.rateLimit != nil { codes[429] = ["rate_limited"] }
        if route.parameters.contains(where: { $0.name == "cursor" }) { codes[422, default: []].append("bad_cursor") }
        switch route.precondition {
        case .none: break
        case .optional: codes[412] = ["version_mismatch"]
        case .required: (codes[412], codes[428]) = (["version_mismatch"], ["precondition_required"])
        }
        switch route.body {
        case .none: break
        case .raw:
            codes[422, default: []].append("private_material")
            (codes[408], codes[413]) = (["request_timeout"], ["body_too_large"])
        case .json:
            codes[400, default: []].append("malformed_json")
            codes[422, default: []].append("private_material")
            (codes[408], codes[413]) = (["request_timeout"], ["body_too_large"])
            codes[415] = ["unsupported_media_type"]
        }
        for (status, own) in route.problems {
            codes[status, default: []] += own.filter { codes[status]?.contains($0) != true }
        }
        return codes
    }

    private static func response(_ shape: ResponseShape) -> JSON {
        var members = [JSON.Member("description", .string(shape.description))]
        let headers = shape.headers + [requestID]
        members.append(JSON.Member("headers", .object(headers.map(header))))
        if let mediaType = shape.mediaType {
            let schema = shape.schema?.openAPI() ?? ["type": "string"]
            members.append(JSON.Member("content", .object([JSON.Member(mediaType, ["schema": schema])])))
        }
        if !shape.links.isEmpty { members.append(JSON.Member("links", .object(shape.links.map(link)))) }
        return .object(members)
    }

    private static let requestID = ResponseShape.Header(
        "X-Request-Id",
        .anyString,
        "The id of the request, for support."
    )

    private static func header(_ header: ResponseShape.Header) -> JSON.Member {
        JSON.Member(
            header.name,
            ["description": .string(header.description), "schema": header.schema.openAPI()]
        )
    }

    private static func link(_ link: ResponseShape.Link) -> JSON.Member {
        let value = JSON.string("$response.body#" + link.pointer)
        return JSON.Member(
            link.operationID,
            [
                "operationId": .string(link.operationID),
                "parameters": .object([JSON.Member(link.parameter, value)]),
            ]
        )
    }

    private static func problem(_ status: Int, _ codes: [String]) -> JSON {
        let description =
            codes.isEmpty
            ? "Any other problem."
            : codes.map { ProblemDocument.title($0) + " (`\($0)`)" }.joined(separator: ", ") + "."
        var headers = [requestID]
        switch status {
        case 401: headers.append(ResponseShape.Header("WWW-Authenticate", .anyString, "`Bearer`."))
        case 405: headers.append(ResponseShape.Header("Allow", .anyString, "The methods that there are."))
        case 429: headers.append(ResponseShape.Header("Retry-After", .anyString, "Seconds to wait."))
        default: break
        }
        return [
            "description": .string(description), "headers": .object(headers.map(header)),
            "content": .object([JSON.Member(ProblemDocument.mediaType, ["schema": ProblemDocument.schema.openAPI()])]),
        ]
    }
}

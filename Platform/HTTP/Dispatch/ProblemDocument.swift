import Kernel

/// A problem as a client gets it (RFC 9457), `application/problem+json`.
enum ProblemDocument {
    static let mediaType = "application/problem+json"

    /// The document; `retryable` is whether the same request may succeed later.
    static func json(_ problem: Problem, requestID: String) -> JSON {
        var members: [JSON.Member] = [
            JSON.Member("type", .string("/problems/" + problem.code)),
            JSON.Member("title", .string(title(problem.code))),
            JSON.Member("status", .integer(problem.status)),
            JSON.Member("detail", .string(problem.detail)),
            JSON.Member("code", .string(problem.code)),
        ]
        if !problem.faults.isEmpty {
            members.append(JSON.Member("errors", .array(problem.faults.map(json))))
        }
        members.append(JSON.Member("request_id", .string(requestID)))
        members.append(JSON.Member("retryable", .bool(isRetryable(problem))))
        return .object(members)
    }

    private static func json(_ fault: Problem.Fault) -> JSON {
        let given = [("limit", fault.limit), ("value", fault.value), ("rule", fault.rule)]
        return .object(
            [JSON.Member("pointer", .string(fault.pointer)), JSON.Member("code", .string(fault.code))]
                + given.compactMap { name, text in text.map { JSON.Member(name, .string($0)) } }
        )
    }

    /// The answer; `Retry-After` where waiting helps, `WWW-Authenticate` on 401 (RFC 6750 §3).
    static func response(_ problem: Problem, requestID: String) -> APIResponse {
        let body = APIResponse.Body.bytes(json(problem, requestID: requestID).serialized(), mediaType: mediaType)
        var response = APIResponse(status: problem.status, body: body)
        if let seconds = problem.retryAfterSeconds { response.headers.append("Retry-After", String(max(1, seconds))) }
        if problem.status == 401 { response.headers.append("WWW-Authenticate", "Bearer") }
        return response
    }

    /// `insufficient_funds` → `Insufficient funds`.
    static func title(_ code: String) -> String {
        let words = code.replacing("_", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    static func isRetryable(_ problem: Problem) -> Bool {
        problem.retryAfterSeconds != nil || [408, 429, 503].contains(problem.status)
    }

    /// What the documentation says about the document.
    static let schema = JSONSchema.object(
        [
            .required("type", .anyString, "A reference that names the kind of problem."),
            .required("title", .anyString, "The kind of problem, for people."),
            .required("status", .integer(400...599), "The HTTP status."),
            .required("detail", .anyString, "What happened and what to do, for people."),
            .required("code", .anyString, "The kind of problem, for programs."),
            .optional(
                "errors",
                .array(of: fault, count: 1...JSONSchema.faultsMax),
                "The parts of the request at fault."
            ),
            .required("request_id", .anyString, "The id of this request, as in `X-Request-Id`."),
            .required("retryable", .bool, "Whether the same request may succeed later."),
        ],
        named: "Problem"
    )

    private static let fault = JSONSchema.object(
        [
            .required("pointer", .anyString, "A JSON pointer into the body, or the name of a parameter or header."),
            .required("code", .anyString, "What is wrong: `missing`, `unknown_field`, `too_long`, …"),
            .optional("limit", .anyString, "What the part would have had to keep to."),
            .optional("value", .anyString, "What it came to."),
            .optional("rule", .anyString, "The name of the rule that says so."),
        ],
        named: "Fault"
    )
}

public import HTTP
public import Kernel
public import Ledger

extension StoredAnswer {
    /// An answer as it is kept under an idempotency key; its media type goes among its headers.
    public init(_ response: APIResponse) {
        let body = response.encodedBody()
        var headers = Dictionary(response.headers.all.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        headers["Content-Type"] = body?.mediaType
        self.init(status: response.status, headers: headers, body: body?.bytes ?? [])
    }

    /// The answer as it is given again.
    public var response: APIResponse {
        let mediaType = headers["Content-Type"] ?? "application/json"
        var response = APIResponse(status: status, body: body.isEmpty ? .none : .bytes(body, mediaType: mediaType))
        for (name, value) in headers where name != "Content-Type" { response.headers.append(name, value) }
        return response
    }
}

extension APIRequest {
    /// The idempotency key of a request to a route that requires one, with its scope: caller, method and path.
    public func scopedKey() throws(Problem) -> IdempotencyKey {
        guard let key = idempotencyKey else { throw Problem.malformed("missing", in: "Idempotency-Key") }
        let principal = try requirePrincipal().user.description
        return IdempotencyKey(principal: principal, method: method.rawValue, path: path, key: key, body: rawBody)
    }
}

extension LedgerOutcome {
    /// The HTTP answer: that of the operation, or the kept one with `Idempotent-Replayed`.
    ///
    /// - Throws: 422 `idempotency_key_reused` when the key came with another request before.
    public func response() throws(Problem) -> APIResponse {
        switch self {
        case .done(_, let answer), .refused(_, let answer):
            guard let answer else { preconditionFailure("an operation over HTTP without an answer") }
            return answer.response
        case .replayed(let answer): return answer.response.with("Idempotent-Replayed", "true")
        case .keyReused:
            throw Problem(
                422,
                "idempotency_key_reused",
                "This Idempotency-Key was used with another body. Use a new key for a new request."
            )
        }
    }
}

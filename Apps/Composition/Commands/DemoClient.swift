import Cryptography
import Kernel
import Logging
import OutboundHTTP

/// A client of the public API, as an app has one.
struct DemoClient: Sendable {
    struct Answer: Sendable {
        let status: Int
        let json: JSON
    }

    /// An answer that the story can't go on with.
    struct Unexpected: Error, CustomStringConvertible {
        let what: String
        let answer: Answer
        var description: String {
            "\(what): \(answer.status) \(String(decoding: answer.json.serialized(), as: UTF8.self))"
        }
    }

    let url: String
    private let http: HTTPClient

    init(url: String, logger: Logger) {
        self.url = url
        var rules = HTTPClientConfiguration()
        rules.allowPrivateAddresses = true
        rules.allowPlainHTTP = true
        http = HTTPClient(name: "demo", configuration: rules, logger: logger)
    }

    func send(
        _ method: OutboundRequest.Method,
        _ path: String,
        token: String? = nil,
        key: String? = nil,
        body: JSON? = nil
    ) async throws -> Answer {
        var headers: [OutboundHeader] = []
        if let token { headers.append(OutboundHeader("Authorization", "Bearer \(token)")) }
        if let key { headers.append(OutboundHeader("Idempotency-Key", key)) }
        if body != nil { headers.append(OutboundHeader("Content-Type", "application/json")) }
        let request = OutboundRequest(method, url + path, headers: headers, body: body?.serialized() ?? [])
        let response = try await http.send(request)
        let json = response.body.isEmpty ? JSON.null : try JSON.parse(response.body)
        return Answer(status: response.status, json: json)
    }

    func login(_ email: String, _ password: String) async throws -> String {
        let answer = try await send(
            .post,
            "/v1/auth/login",
            body: ["email": .string(email), "password": .string(password)]
        )
        guard let token = answer.json["access_token"]?.stringValue else {
            throw Unexpected(what: "signing in", answer: answer)
        }
        return token
    }

    /// Sets up a second factor, as an authenticator app does it; the session may then do what needs one.
    func enrolSecondFactor(_ token: String, _ password: String) async throws {
        let begun = try await expect(
            [201],
            "setting up a second factor",
            .post,
            "/v1/me/two-factor",
            token: token,
            body: ["password": .string(password)]
        )
        guard let totp = TOTP(secretText: begun["secret"]?.stringValue ?? "") else {
            throw Unexpected(what: "the second factor's secret", answer: Answer(status: 201, json: .null))
        }
        let code = totp.code(step: totp.step(at: SystemClock().now()))
        _ = try await expect(
            [200],
            "confirming the second factor",
            .post,
            "/v1/me/two-factor/confirm",
            token: token,
            body: ["code": .string(code)]
        )
    }

    /// Sends and holds the answer to one of some statuses.
    func expect(
        _ statuses: Set<Int>,
        _ what: String,
        _ method: OutboundRequest.Method,
        _ path: String,
        token: String? = nil,
        key: String? = nil,
        body: JSON? = nil
    ) async throws -> JSON {
        let answer = try await send(method, path, token: token, key: key, body: body)
        guard statuses.contains(answer.status) else { throw Unexpected(what: what, answer: answer) }
        return answer.json
    }
}

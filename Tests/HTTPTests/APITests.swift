import HTTP
import Kernel
import Observability
import Testing

@Suite struct APITests {
    private let demo = DemoAPI()
    private let body = Array(#"{"payee":"ada","amount":"12.34","asset":"USD"}"#.utf8)
    private let path = "/v1/payments/pay_00000000000000000000000001"

    private func writer(_ more: [(name: String, value: String)] = []) -> Headers {
        Headers([("Authorization", "Bearer writer"), ("Content-Type", "application/json")] + more)
    }

    @Test func `a good request reaches its handler`() async throws {
        let response = await demo.make().respond(
            "POST",
            "/v1/payments",
            headers: writer([("Idempotency-Key", "k1")]),
            body: body
        )
        #expect(response.status == 201)
        #expect(response.headers["Location"] == path)
        #expect(try response.json()["key"] == "k1")
        #expect(try response.json()["body"]?["amount"] == "12.34")
        #expect(response.headers["X-Request-Id"]?.hasPrefix("req_") == true)
        #expect(response.headers["X-Content-Type-Options"] == "nosniff")
        #expect(response.headers["RateLimit-Policy"] == "\"standard\";q=6000;w=60")
        #expect(response.headers["RateLimit"] == "\"standard\";r=5999;t=60")
    }

    @Test(arguments: [
        ("GET", "/nothing"), ("GET", "/v1/payments/"), ("GET", "//v1/payments"), ("GET", "/v1//payments"), ("GET", ""),
        ("GET", "/V1/payments"), ("OPTIONS", "/nothing"), ("GET", "*"),
    ])
    func `an unknown path is 404`(method: String, target: String) async throws {
        let response = await demo.make().respond(method, target, headers: writer())
        #expect(response.status == 404)
        #expect(try response.code() == "not_found")
    }

    @Test(arguments: ["PUT", "PATCH", "DELETE", "TRACE", "QUERY", "get", "\u{0}"])
    func `a wrong method is 405 with what is allowed`(method: String) async throws {
        let response = await demo.make().respond(method, "/v1/payments")
        #expect(response.status == 405)
        #expect(response.headers["Allow"] == "GET, HEAD, OPTIONS, POST")
        #expect(try response.code() == "method_not_allowed")
    }

    @Test func `OPTIONS says what is allowed`() async {
        let response = await demo.make().respond("OPTIONS", path)
        #expect(response.status == 204)
        #expect(response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS")
        #expect(await demo.make().respond("OPTIONS", "*").status == 204)
    }

    @Test(arguments: [nil, "", "Bearer", "Bearer ", "Basic writer", "Bearer wrong", "Bearer a b", "Bearer \u{e9}"])
    func `a missing or invalid token is 401`(authorization: String?) async throws {
        let headers = Headers(authorization.map { [("Authorization", $0)] } ?? [])
        let response = await demo.make().respond("GET", path, headers: headers)
        #expect(response.status == 401)
        #expect(response.headers["WWW-Authenticate"] == "Bearer")
        #expect(try response.code() == "unauthenticated")
    }

    @Test func `two tokens are none`() async {
        let headers: Headers = ["Authorization": "Bearer writer", "authorization": "Bearer reader"]
        #expect(await demo.make().respond("GET", path, headers: headers).status == 401)
    }

    @Test func `the scheme of a token is read without case`() async {
        #expect(await demo.make().respond("GET", path, headers: ["Authorization": "bEARER reader"]).status == 200)
    }

    @Test func `a caller without the permission is 403`() async throws {
        let headers: Headers = ["Authorization": "Bearer reader", "Content-Type": "application/json"]
        let response = await demo.make().respond("POST", "/v1/payments", headers: headers, body: body)
        #expect(response.status == 403)
        #expect(try response.code() == "forbidden")
        #expect(await demo.make().respond("POST", "/v1/sign-out", headers: headers).status == 204)
    }

    @Test func `an idempotency key is required where it is declared`() async throws {
        let response = await demo.make().respond("POST", "/v1/payments", headers: writer(), body: body)
        #expect(response.status == 400)
        #expect(try response.code() == "idempotency_key_required")
        #expect(try response.faults() == ["Idempotency-Key missing"])
    }

    @Test(arguments: [
        (String(repeating: "k", count: 256), "too_long"), ("a b", "bad_format"), ("é", "bad_format"),
    ])
    func `an idempotency key is visible ASCII`(key: String, fault: String) async throws {
        let response = await demo.make().respond(
            "POST",
            "/v1/payments",
            headers: writer([("Idempotency-Key", key)]),
            body: body
        )
        #expect(response.status == 400)
        #expect(try response.faults() == ["Idempotency-Key \(fault)"])
    }

    @Test func `two idempotency keys are refused`() async throws {
        let headers = writer([("Idempotency-Key", "a"), ("Idempotency-Key", "b")])
        let response = await demo.make().respond("POST", "/v1/payments", headers: headers, body: body)
        #expect(try response.faults() == ["idempotency-key duplicate_header"])
    }

    @Test(arguments: [
        ("", "missing"), ("{", "unexpected_end"), ("{}x", "trailing_bytes"), (#"{"a":1,"a":1}"#, "duplicate_name"),
        (#"{"a":"\u0000"}"#, "nul"), (#"{"a":"\ud800"}"#, "lone_surrogate"),
        (String(repeating: "[", count: 1000), "too_deep"),
    ])
    func `a body that is not JSON is 400`(text: String, fault: String) async throws {
        let response = await demo.make().respond(
            "POST",
            "/v1/payments",
            headers: writer([("Idempotency-Key", "k")]),
            body: Array(text.utf8)
        )
        #expect(response.status == 400)
        #expect(try response.faults() == [" \(fault)"])
    }

    @Test func `invalid UTF-8 is 400`() async throws {
        let response = await demo.make().respond(
            "POST",
            "/v1/payments",
            headers: writer([("Idempotency-Key", "k")]),
            body: Array("\"".utf8) + [0xFF, 0x22]
        )
        #expect(try response.faults() == [" invalid_utf8"])
    }

    @Test func `a body that breaks its schema is 400 with every fault`() async throws {
        let bad = Array(#"{"payee":"ada","amount":12.34,"asset":"XXX","admin":true}"#.utf8)
        let response = await demo.make().respond(
            "POST",
            "/v1/payments",
            headers: writer([("Idempotency-Key", "k")]),
            body: bad
        )
        #expect(response.status == 400)
        #expect(try response.code() == "invalid_request")
        #expect(try response.faults() == ["/amount wrong_type", "/asset unknown_asset", "/admin unknown_field"])
    }

    @Test(arguments: [
        "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/jsonp", "",
    ])
    func `another media type is 415`(mediaType: String) async {
        let headers: Headers = [
            "Authorization": "Bearer writer", "Idempotency-Key": "k", "Content-Type": mediaType,
        ]
        #expect(await demo.make().respond("POST", "/v1/payments", headers: headers, body: body).status == 415)
    }

    @Test(arguments: ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""])
    func `JSON may say that it is UTF-8`(mediaType: String) async {
        let headers: Headers = [
            "Authorization": "Bearer writer", "Idempotency-Key": "k", "Content-Type": mediaType,
        ]
        #expect(await demo.make().respond("POST", "/v1/payments", headers: headers, body: body).status == 201)
    }

    @Test func `a body over the bound is 413`() async throws {
        let large = Array(repeating: UInt8(ascii: " "), count: BodyKind.limitBytesDefault + 1)
        let headers = writer([("Idempotency-Key", "k")])
        let response = await demo.make().respond("POST", "/v1/payments", headers: headers, body: large)
        #expect(response.status == 413)
        let declared = writer([("Idempotency-Key", "k"), ("Content-Length", "9999999")])
        #expect(await demo.make().respond("POST", "/v1/payments", headers: declared).status == 413)
    }

    @Test func `a webhook gets its bytes as they came`() async throws {
        let raw: [UInt8] = [0, 0xFF, 0x7B]
        let response = await demo.make().respond("POST", "/v1/webhooks/stripe", body: raw)
        #expect(try response.json()["bytes"] == .integer(3))
        #expect(await demo.make().respond("POST", "/v1/webhooks/paypal", body: raw).status == 400)
    }

    @Test func `a business refusal keeps its code`() async throws {
        let poor = Array(#"{"payee":"poor","amount":"12.34","asset":"USD"}"#.utf8)
        let response = await demo.make().respond(
            "POST",
            "/v1/payments",
            headers: writer([("Idempotency-Key", "k")]),
            body: poor
        )
        #expect(response.status == 422)
        let json = try response.json()
        #expect(json["type"] == "/problems/insufficient_funds")
        #expect(json["title"] == "Insufficient funds")
        #expect(json["status"] == .integer(422))
        #expect(json["retryable"] == false)
        #expect(json["request_id"]?.stringValue == response.headers["X-Request-Id"])
    }

    @Test func `an unforeseen error is 500 and logged once, its text kept inside`() async throws {
        let response = await demo.make().respond("GET", "/v1/failing")
        #expect(response.status == 500)
        #expect(try response.code() == "internal_error")
        #expect(String(decoding: response.encodedBody()?.bytes ?? [], as: UTF8.self).contains("Unforeseen") == false)
        let lines = demo.log.lines.filter { $0.contains("unhandled error") }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("Unforeseen") == true)
        #expect(lines.first?.contains(response.headers["X-Request-Id"] ?? "-") == true)
    }
}

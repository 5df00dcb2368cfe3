import Kernel
import Testing

@testable import HTTP

/// What every answer says to browsers, and what of a request is taken.
@Suite struct PerimeterTests {
    private let demo = DemoAPI()

    private static let path = "/v1/payments/pay_00000000000000000000000001"

    private func reader(_ token: String = "reader") -> Headers { Headers([("Authorization", "Bearer \(token)")]) }

    @Test(arguments: [
        ("GET", path, "reader"), ("GET", path, "nobody"), ("POST", "/v1/payments", "reader"),
        ("GET", "/nowhere", "reader"),
        ("PUT", "/v1/payments", "reader"),
    ])
    func `every answer forbids to sniff, frame, embed, keep and refer it`(
        method: String,
        target: String,
        token: String
    ) async {
        let headers = await demo.make().respond(method, target, headers: reader(token)).headers
        #expect(headers["X-Content-Type-Options"] == "nosniff")
        #expect(headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'")
        #expect(headers["Cross-Origin-Resource-Policy"] == "same-origin")
        #expect(headers["Cache-Control"] == "no-store")
        #expect(headers["Referrer-Policy"] == "no-referrer")
        #expect(headers["Server"] == nil && headers["X-Powered-By"] == nil)
    }

    @Test func `no page of another origin may ask or read`() async {
        let origin = [(name: "Origin", value: "https://evil.example")]
        let asked = origin + [(name: "Access-Control-Request-Method", value: "POST")]
        let preflight = await demo.make().respond("OPTIONS", "/v1/payments", headers: Headers(asked))
        let authorized = origin + [(name: "Authorization", value: "Bearer reader")]
        let read = await demo.make().respond("GET", Self.path, headers: Headers(authorized))
        #expect(preflight.status == 204 && read.status == 200)
        for answer in [preflight, read] {
            for name in ["Origin", "Methods", "Headers", "Credentials"] {
                #expect(answer.headers["Access-Control-Allow-\(name)"] == nil)
            }
        }
    }

    @Test(arguments: [(nil, false), ("http://127.0.0.1:8080", false), ("https://api.example.com", true)])
    func `where clients come by TLS they are to stay there`(url: String?, isTold: Bool) async {
        let answer = await demo.make(serverURL: url).respond("GET", "/livez")
        #expect((answer.headers["Strict-Transport-Security"] != nil) == isTold)
    }

    @Test(arguments: [#""id":"pay_1""#, #""status":"settled""#, #""__proto__":{}"#, #""is_admin":true"#])
    func `a member that isn't declared is refused, not dropped`(member: String) async throws {
        let body = #"{"payee":"ada","amount":"1.00","asset":"USD",\#(member)}"#
        let fields = [
            ("Authorization", "Bearer writer"), ("Content-Type", "application/json"), ("Idempotency-Key", "k"),
        ]
        let headers = Headers(fields.map { (name: $0.0, value: $0.1) })
        let answer = await demo.make().respond("POST", "/v1/payments", headers: headers, body: Array(body.utf8))
        #expect(answer.status == 400)
        #expect(try answer.json()["errors"]?.elements?.first?["code"] == "unknown_field")
    }

    @Test func `users, addresses and keys of programs are counted each for itself`() async {
        let route = Route(
            .get,
            "/v1/counted",
            operationID: "counted",
            summary: "Counted",
            tag: "Other",
            access: .authenticated,
            responses: [204: ResponseShape("Nothing.")],
            rateLimit: RateLimitClass("one", quota: 1, windowSeconds: 60)
        ) { _ in .noContent }
        let api = demo.make([route])
        for caller in ["writer", "reader", "program", "another-program"] {
            #expect(await api.respond("GET", "/v1/counted", headers: reader(caller)).status == 204)
            let address = "192.0.2.\(caller.utf8.count)"
            let again = await api.respond("GET", "/v1/counted", headers: reader(caller), remoteAddress: address)
            #expect(again.status == 429, "\(caller)")
        }
    }

    @Test func `who tries tokens is counted by address and then waits, and nobody else does`() async {
        let route = Route(
            .get,
            "/v1/counted",
            operationID: "counted",
            summary: "Counted",
            tag: "Other",
            access: .authenticated,
            responses: [204: ResponseShape("Nothing.")],
            rateLimit: RateLimitClass("three", quota: 3, windowSeconds: 60)
        ) { _ in .noContent }
        let api = demo.make([route])
        func attempt(_ caller: String, _ address: String = "192.0.2.7") async -> Int {
            await api.respond("GET", "/v1/counted", headers: reader(caller), remoteAddress: address).status
        }
        for number in 0..<3 { #expect(await attempt("guess-\(number)") == 401) }
        #expect(await attempt("guess-4") == 429)
        #expect(await attempt("guess-4", "192.0.2.8") == 401)
        #expect(await attempt("writer") == 204)
        let metrics = await api.respond("GET", "/metrics")
        let text = String(decoding: metrics.encodedBody()?.bytes ?? [], as: UTF8.self)
        #expect(text.contains("http_authentication_failures_total 5"))
    }

    private static func counted(_ name: String, _ limit: RateLimitClass) -> Route {
        Route(
            .get,
            PathTemplate("/v1/\(name)"),
            operationID: name,
            summary: "Counted",
            tag: "Other",
            access: .authenticated,
            responses: [204: ResponseShape("Nothing.")],
            rateLimit: limit
        ) { _ in .noContent }
    }

    @Test func `a class that says so counts each route for itself, for who has signed in`() async {
        let limit = RateLimitClass("two", quota: 2, windowSeconds: 60, isByRoute: true)
        let api = demo.make([Self.counted("first", limit), Self.counted("second", limit)])
        func ask(_ name: String, _ caller: String) async -> Int {
            await api.respond("GET", "/v1/\(name)", headers: reader(caller), remoteAddress: "192.0.2.7").status
        }
        for name in ["first", "second"] {
            var answers: [Int] = []
            for _ in 0..<3 { answers.append(await ask(name, "writer")) }
            #expect(answers == [204, 204, 429], "\(name)")
        }
        // Who guesses tokens has no more chances for there being more routes.
        var guesses: [Int] = []
        for name in ["first", "second", "first"] { guesses.append(await ask(name, "guess")) }
        #expect(guesses == [401, 401, 429])
        #expect(RateLimitClass.standard.isByRoute)
    }

    @Test func `all who have signed in are counted by their network too, and the machine itself isn't`() async {
        let limit = RateLimitClass("wide", quota: 100, windowSeconds: 60)
        let api = demo.make(
            [Self.counted("asked", limit)],
            networkLimit: RateLimitClass("n", quota: 3, windowSeconds: 60)
        )
        func ask(_ caller: String, _ address: String) async -> Int {
            await api.respond("GET", "/v1/asked", headers: reader(caller), remoteAddress: address).status
        }
        for (place, caller) in ["writer", "reader", "program", "another-program"].enumerated() {
            #expect(await ask(caller, "2001:db8:1:2::\(place)") == (place < 3 ? 204 : 429), "\(caller)")
        }
        #expect(await ask("writer", "2001:db8:1:3::1") == 204)
        for _ in 0..<5 { #expect(await ask("writer", "127.0.0.1") == 204) }
    }

    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"), ("::1", "0:0:0:0::/64"), ("", ""), ("unix:", "unix:"),
    ])
    func `of IPv6 a network is counted, of IPv4 an address`(address: String, name: String) {
        #expect(NetworkName.of(address) == name)
    }

    @Test func `who goes on asking stays counted, however many others come`() async {
        let (limiter, now) = (LocalRateLimiter(callersMax: 100), Timestamp(seconds: 1_800_000_000))
        let limit = RateLimitClass("few", quota: 2, windowSeconds: 60)
        for _ in 0..<2 { #expect(await limiter.count("busy", in: limit, at: now).isAllowed) }
        for number in 0..<1_000 {
            #expect(await limiter.count("other\(number)", in: limit, at: now).isAllowed)
            if number.isMultiple(of: 40) { #expect(await limiter.count("busy", in: limit, at: now).isAllowed == false) }
        }
        #expect(await limiter.count("busy", in: limit, at: now.adding(seconds: 60)).isAllowed)
    }
}

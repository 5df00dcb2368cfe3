import HTTP
import Kernel
import Observability
import Testing
import Traces

@Suite struct RequestTests {
    private let demo = DemoAPI()
    private let path = "/v1/payments/pay_00000000000000000000000001"

    private func reader(_ more: [(name: String, value: String)] = []) -> Headers {
        Headers([("Authorization", "Bearer reader")] + more)
    }

    @Test func `a handler sees who calls, from where, in which trace`() async throws {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let response = await demo.make().respond(
            "GET",
            path,
            headers: reader([("traceparent", trace), ("User-Agent", "test/1")]),
            remoteAddress: "192.0.2.7"
        )
        let json = try response.json()
        #expect(json["user"]?.stringValue == ID<User>(8).description)
        #expect(json["trace"] == "0af7651916cd43dd8448eb211c80319c")
        #expect(json["agent"] == "test/1")
        #expect(json["address"] == "192.0.2.7")
        #expect(response.headers["ETag"] == "\"3\"")
    }

    @Test(arguments: [
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ])
    func `a malformed traceparent is ignored`(header: String) async throws {
        #expect(TraceParent(header) == nil)
        let response = await demo.make().respond("GET", path, headers: reader([("traceparent", header)]))
        #expect(try response.json()["trace"] == "")
    }

    @Test(arguments: [
        ("/v1/payments?limit=0", "limit too_small"), ("/v1/payments?limit=101", "limit too_large"),
        ("/v1/payments?limit=ten", "limit wrong_type"), ("/v1/payments?limit=1&limit=2", "limit repeated"),
        ("/v1/payments?colour=red", "colour unknown_parameter"), ("/v1/payments?open=yes", "open wrong_type"),
        ("/v1/payments?asset=XXX", "asset unknown_asset"), ("/v1/payments?a%00b=1", "query unknown_parameter"),
        ("/v1/payments?asset=%zz", "query bad_encoding"), ("/v1/payments?asset=%ff", "query bad_encoding"),
        ("/v1/payments?cursor=abc", "cursor bad_format"), ("/v1/payments/%ff", "id bad_encoding"),
        ("/v1/payments/pay_%00", "id bad_format"), ("/v1/payments/usr_00000000000000000000000001", "id bad_format"),
    ])
    func `a faulty parameter is 400 and named`(target: String, fault: String) async throws {
        let response = await demo.make().respond("GET", target, headers: reader())
        #expect(response.status == 400)
        #expect(try response.faults() == [fault])
    }

    @Test func `too many parameters are 400`() async throws {
        let target = "/v1/payments?" + Array(repeating: "a=1", count: 65).joined(separator: "&")
        let response = await demo.make().respond("GET", target, headers: reader())
        #expect(try response.faults() == ["query too_many_parameters"])
    }

    @Test func `an absolute target is understood`() async {
        let response = await demo.make().respond("GET", "http://example.com:80\(path)?", headers: reader())
        #expect(response.status == 200)
    }

    @Test func `an encoded parameter is decoded`() async {
        let encoded = path.replacing("pay_", with: "%70ay%5F")
        #expect(await demo.make().respond("GET", encoded, headers: reader()).status == 200)
    }

    @Test(arguments: [
        (nil, 428), ("\"3\"", 204), ("*", 204), ("\"2\", \"3\"", 204), ("\"2\"", 412), ("3", 412), ("W/\"3\"", 412),
        ("\"\"", 412), ("\"3\u{e9}\"", 400), (String(repeating: "\"", count: 256), 400),
    ])
    func `If-Match is held against the version`(header: String?, status: Int) async {
        let more = header.map { [(name: "If-Match", value: $0)] } ?? []
        let headers = Headers([("Authorization", "Bearer writer")] + more)
        #expect(await demo.make().respond("DELETE", path, headers: headers).status == status)
    }

    @Test func `a quota is counted per caller and window`() async throws {
        let api = demo.make()
        for remaining in [2, 1, 0] {
            let response = await api.respond("GET", "/v1/limited")
            #expect(response.status == 204)
            #expect(response.headers["RateLimit"] == "\"tight\";r=\(remaining);t=10")
        }
        demo.clock.advance(seconds: 4)
        let refused = await api.respond("GET", "/v1/limited")
        #expect(refused.status == 429)
        #expect(refused.headers["Retry-After"] == "6")
        #expect(try refused.json()["retryable"] == true)
        #expect(await api.respond("GET", "/v1/limited", remoteAddress: "192.0.2.9").status == 204)
        demo.clock.advance(seconds: 6)
        #expect(await api.respond("GET", "/v1/limited").status == 204)
    }

    @Test func `requests are measured by route, method and status`() async {
        let api = demo.make()
        _ = await api.respond("GET", path, headers: reader())
        _ = await api.respond("GET", "/somewhere/else")
        _ = await api.respond("BREW", "/v1/payments")
        let text = demo.registry.text()
        let name = "http_server_request_duration_seconds_count"
        #expect(text.contains("\(name){method=\"GET\",route=\"/v1/payments/{id}\",status=\"200\"} 1\n"))
        #expect(text.contains("\(name){method=\"other\",route=\"unmatched\",status=\"404\"} 1\n"))
        #expect(text.contains("\(name){method=\"other\",route=\"unmatched\",status=\"405\"} 1\n"))
    }
}

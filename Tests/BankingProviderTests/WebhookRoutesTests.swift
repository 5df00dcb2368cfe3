import HTTP
import Kernel
import Messaging
import PostgreSQL
import Testing
import Webhooks

@testable import Banking

@Suite struct WebhookRoutesTests {
    private let fixture = WebhookFixture()
    private let body = Array(
        (#"{"id":"evt_1","object":"event","created":1795200000,"livemode":false,"type":"payment_intent.succeeded","#
            + #""data":{"object":{"id":"pi_1"}}}"#).utf8
    )

    private func signed(_ body: [UInt8], secret: Int = 0, at offset: Int64 = 0) -> Headers {
        [
            WebhookSigner.stripe(
                body: body,
                secret: WebhookFixture.stripeSecrets[secret],
                at: WebhookFixture.now.adding(seconds: offset)
            )
        ]
        .reduce(into: ["User-Agent": "Stripe/1.0"]) { $0.append($1.name, $1.value) }
    }

    private func post(
        _ headers: Headers,
        _ body: [UInt8],
        _ path: String = "/v1/webhooks/stripe"
    ) async throws -> APIResponse {
        try await fixture.api().respond("POST", path, headers: headers, body: body)
    }

    @Test func `an event is kept byte for byte with its ids and its signature`() async throws {
        let answer = try await post(signed(body), body)
        #expect((answer.status, answer.word) == (200, "stored"))
        let arrival = try #require(fixture.inbox.arrivals.first)
        #expect((arrival.source, arrival.eventID, arrival.type) == ("stripe", "evt_1", "payment_intent.succeeded"))
        #expect((arrival.objectID, arrival.origin, arrival.body) == ("pi_1", .webhook, body))
        #expect(arrival.headers["stripe-signature"]?.stringValue?.hasPrefix("t=1795200000,v1=") == true)
        #expect(arrival.headers["user-agent"] == "Stripe/1.0")
    }

    @Test func `the same event again is a duplicate, with another body a conflict, and both get 200`() async throws {
        let other = body + [UInt8(ascii: " ")]
        var words: [String?] = []
        for body in [body, body, other] {
            let answer = try await post(signed(body), body)
            #expect(answer.status == 200)
            words.append(answer.word)
        }
        #expect(words == ["stored", "duplicate", "conflict"])
    }

    @Test func `each secret of the ring is good, as during a rotation`() async throws {
        for secret in WebhookFixture.stripeSecrets.indices {
            #expect(try await post(signed(body, secret: secret), body).status == 200)
        }
    }

    @Test func `what isn't signed is refused by its reason and not kept`() async throws {
        let signature = signed(body)
        var twice = signature
        twice.append("Stripe-Signature", signature["Stripe-Signature"] ?? "")
        let cases: [(Headers, Int, String)] = [
            ([:], 400, "missing_header"), (["Stripe-Signature": "t=1"], 400, "no_v1_signature"),
            (twice, 400, "duplicate_header"),
            (["Stripe-Signature": "v1=00"], 400, "malformed_header"),
            (signed(body + [32]), 401, "signature_mismatch"), (signed(body, at: -301), 401, "timestamp_too_old"),
            (signed(body, at: 301), 401, "timestamp_too_new"),
            (["Stripe-Signature": String(repeating: "a", count: 9_000)], 400, "header_too_large"),
        ]
        for (headers, status, code) in cases {
            let answer = try await post(headers, body)
            #expect((answer.status, answer.word) == (status, code))
        }
        #expect(fixture.inbox.arrivals.isEmpty)
    }

    @Test(arguments: [
        ("not json", "invalid_payload"), ("[]", "invalid_payload"), (#"{"id":"a","id":"b"}"#, "duplicate_keys"),
        (#"{"id":"a"}"#, "invalid_payload"), ("\u{FEFF}{}", "invalid_payload"),
        (
            #"{"id":"evt_\u0000","object":"event","created":1,"livemode":false,"type":"a","data":{"object":{}}}"#,
            "invalid_payload"
        ),
        (#"{"id":"evt_1","object":"event","created":1,"livemode":true,"type":"a","data":{"object":{}}}"#, "wrong_mode"),
        (
            #"{"id":"evt_1","object":"v2.core.event","created":1,"livemode":false,"type":"a","data":{"object":{}}}"#,
            "invalid_payload"
        ),
    ])
    func `a signed body that is no event of ours is refused`(_ text: String, _ code: String) async throws {
        let body = Array(text.utf8)
        let answer = try await post(signed(body), body)
        #expect((answer.status, answer.word) == (400, code))
        #expect(fixture.inbox.arrivals.isEmpty)
    }

    @Test func `a body deeper or longer than is accepted is refused`() async throws {
        let deep = Array((String(repeating: "[", count: 70) + String(repeating: "]", count: 70)).utf8)
        #expect(try await post(signed(deep), deep).status == 400)
        let long = Array(repeating: UInt8(ascii: " "), count: (1 << 20) + 1)
        let answer = try await post(signed(long), long)
        #expect((answer.status, answer.word) == (413, "body_too_large"))
        let largest = Array(repeating: UInt8(ascii: " "), count: (1 << 20) - body.count) + body
        #expect(try await post(signed(largest), largest).status == 200)
    }

    @Test(arguments: ["/v1/webhooks/unheard", "/v1/webhooks/ramp", "/v1/webhooks/", "/v1/webhooks/stripe/more"])
    func `a provider without keys is not found`(_ path: String) async throws {
        #expect(try await post(signed(body), body, path).status == 404)
    }

    @Test func `another method is not allowed`() async throws {
        let answer = try await fixture.api().respond("GET", "/v1/webhooks/stripe")
        #expect(answer.status == 405 && answer.headers["Allow"] == "OPTIONS, POST")
    }

    @Test(arguments: [
        (PostgresError.unreachable("away") as any Error, 503), (PostgresError.poolExhausted(waitedSeconds: 5), 503),
        (GroupCommitError.closed, 503), (GroupCommitError.full, 429),
    ])
    func `what can't be kept is to be sent again`(_ error: any Error, _ status: Int) async throws {
        fixture.inbox.fail(error)
        let answer = try await post(signed(body), body)
        #expect(answer.status == status)
        #expect(answer.headers["Retry-After"] != nil)
        fixture.inbox.fail(nil)
        #expect(try await post(signed(body), body).word == "stored")
    }

    @Test func `the simulator's events come in by Standard Webhooks`() async throws {
        let body = Array(
            #"{"id":"sbe_1","type":"deposit.succeeded","mode":"sandbox","data":{"object":"sbo_1"}}"#.utf8
        )
        let headers = Headers(
            try WebhookSigner.standardWebhooks(
                id: "sbe_1",
                body: body,
                secrets: [WebhookFixture.sandboxSecret],
                at: WebhookFixture.now
            )
        )
        #expect(try await post(headers, body, "/v1/webhooks/sandbox").word == "stored")
        #expect(fixture.inbox.arrivals.first?.objectID == "sbo_1")
    }

    @Test func `the vectors get the same verdicts over HTTP`() async throws {
        for vector in try Vector.all("moonpay")
        where vector.keys == [WebhookFixture.moonPaySecret] && vector.method == "POST" {
            fixture.clock.set(vector.now)
            let answer = try await fixture.api().respond(
                "POST",
                "/v1/webhooks/moonpay",
                headers: vector.headers,
                body: vector.body
            )
            let verdict = try #require(SignatureVerdict(rawValue: vector.reason))
            // Some bodies are signed well and are no events.
            let isEvent = (try? JSON.parse(vector.body))?["data"] != nil
            let expected = verdict == .ok && !isEvent ? 400 : verdict.httpStatus
            #expect(answer.status == expected, "\(vector.id)")
            if verdict != .ok { #expect(answer.word == vector.reason, "\(vector.id)") }
        }
        #expect(!fixture.inbox.arrivals.isEmpty)
    }

    @Test func `MoonPay's webhook by GET is signed over its query`() async throws {
        let query = "externalCustomerId=adbb317d-cde9-4ebb-93a3-1b271812de06"
        let signature = WebhookSigner.moonPay(
            query: "?" + query,
            secret: WebhookFixture.moonPaySecret,
            at: WebhookFixture.now
        )
        let headers = Headers([signature])
        for word in ["stored", "duplicate"] {
            let answer = try await fixture.api().respond("GET", "/v1/webhooks/moonpay?" + query, headers: headers)
            #expect((answer.status, answer.word) == (200, word))
        }
        let arrival = try #require(fixture.inbox.arrivals.first)
        #expect(arrival.type == "query")
        #expect(try JSON.parse(arrival.body)["data"]?["externalCustomerId"] == "adbb317d-cde9-4ebb-93a3-1b271812de06")
        let tampered = try await fixture.api().respond(
            "GET",
            "/v1/webhooks/moonpay?externalCustomerId=x",
            headers: headers
        )
        #expect((tampered.status, tampered.word) == (401, "signature_mismatch"))
    }
}

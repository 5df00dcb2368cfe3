import HTTP
import Kernel
import Messaging
import Testing
import Webhooks

@testable import Banking

@Suite struct RampTests {
    private let transaction: ID<BankTransaction> = IDGenerator().next()

    private func purchase(_ status: String, amount: String = #""30000000000000000""#, decimals: Int = 18) -> String {
        """
        {"id":"9393916e","status":"\(status)","endTime":"2026-11-21T18:39:17.000Z","purchaseViewToken":"view",
        "asset":{"symbol":"ETH","chain":"ETH","decimals":\(decimals)},"cryptoAmount":\(amount),
        "appliedFee":0.1073467425742574,
        "createdAt":"2026-11-20T18:39:17.000Z",
        "actions":[{"newStatus":"CREATED","timestamp":"2026-11-20T18:39:17.000Z"},
        {"newStatus":"\(status)","timestamp":"2026-11-20T18:45:00.000Z"}]}
        """
    }

    private func body(_ type: String, _ purchase: String? = nil, id: String? = nil) throws -> JSON {
        let head = id.map { #""id":"\#($0)","# } ?? ""
        return try JSON(text: #"{\#(head)"type":"\#(type)","purchase":\#(purchase ?? self.purchase(type))}"#)
    }

    @Test func `a deposit is the widget's URL, with an address for webhooks that nobody can guess`() async throws {
        let intent = try ProviderIntent.new("0.03", .eth, of: transaction)
        let answer = await Providers.ramp().createDeposit(intent)
        #expect(answer.reference == transaction.wire)
        let url = try #require(answer.action?["url"]?.stringValue)
        let part = WebhookFixture.paths.part(for: transaction)
        #expect(url.contains("swapAsset=ETH_ETH&swapAmount=30000000000000000&userAddress=0xdef&webhookStatusUrl="))
        #expect(url.hasSuffix(Percent.encode("https://diboas.example/v1/webhooks/ramp/" + part)))
        #expect(try await Providers.ramp().createDeposit(.new()) == .refused(reason: "not_supported"))
        #expect(await Providers.ramp(hasWidget: false).createDeposit(intent) == .refused(reason: "not_offered"))
    }

    @Test func `an address that wasn't made here is nobody's`() throws {
        let part = WebhookFixture.paths.part(for: transaction)
        #expect(WebhookFixture.paths.transaction(of: part) == transaction)
        let other: ID<BankTransaction> = IDGenerator().next()
        let code = try #require(part.split(separator: ".").last)
        let foreign = IntentPaths(secret: Array("another secret..".utf8)).part(for: transaction)
        for wrong in ["", ".", transaction.wire, "\(other.wire).\(code)", part + "A", part.dropLast() + "", foreign] {
            #expect(WebhookFixture.paths.transaction(of: wrong) == nil)
        }
    }

    @Test(arguments: [
        ("CREATED", ProviderEvent.State.processing), ("RELEASED", .succeeded), ("RETURNED", .failed), ("OTHER", .other),
    ])
    func `each type has its meaning`(_ type: String, _ state: ProviderEvent.State) throws {
        let event = try Providers.ramp().event(try body(type))
        #expect((event.id, event.objectID, event.state) == ("9393916e.\(type)", "9393916e", state))
        #expect(event.amount == Money(minorUnits: 30_000_000_000_000_000, .eth))
        #expect(event.occurredAt == Timestamp("2026-11-20T18:45:00Z"))
    }

    @Test func `an event's own id is taken where there is one`() throws {
        #expect(try Providers.ramp().envelope(try body("RELEASED", id: "e1")).eventID == "e1")
    }

    @Test func `selling is told in its own form`() throws {
        let body = try JSON(
            text:
                #"{"id":"e2","type":"EXPIRED","mode":"OFFRAMP","#
                + #""payload":{"id":"s1","createdAt":"2026-11-20T18:39:17.000Z"}}"#
        )
        let event = try Providers.ramp().event(body)
        #expect((event.id, event.objectID, event.state, event.reason) == ("e2", "s1", .failed, "expired"))
    }

    @Test(arguments: [(#""1.5""#, 18), ("30000000000000000", 18), (#""-1""#, 18), (#""30000000000000000""#, 6)])
    func `an amount that isn't an integer in the asset's smallest unit is malformed`(
        _ amount: String,
        _ decimals: Int
    ) throws {
        #expect(throws: ProviderEventError.malformed("purchase.cryptoAmount")) {
            try Providers.ramp().event(try body("RELEASED", purchase("RELEASED", amount: amount, decimals: decimals)))
        }
    }

    @Test func `the vectors come in by the address of an intent and get their verdicts`() async throws {
        let vectors = try Vector.all("ramp").filter { $0.method == "POST" }
        let keys = try #require(vectors.first { $0.reason == "ok" }).keys
        let fixture = WebhookFixture()
        let api = try fixture.api(rampKeys: keys)
        let path = "/v1/webhooks/ramp/" + WebhookFixture.paths.part(for: transaction)
        for vector in vectors where vector.keys == keys {
            fixture.clock.set(vector.now)
            let answer = await api.respond("POST", path, headers: vector.headers, body: vector.body)
            let verdict = try #require(SignatureVerdict(rawValue: vector.reason))
            let isEvent = (try? Providers.ramp().envelope(try JSON.parse(vector.body))) != nil
            #expect(answer.status == (verdict == .ok && !isEvent ? 400 : verdict.httpStatus), "\(vector.id)")
        }
        let arrival = try #require(fixture.inbox.arrivals.first)
        #expect(arrival.objectID == transaction.wire)
        #expect(arrival.headers[WebhookIntake.intentHeader]?.stringValue == transaction.wire)
        let good = try #require(vectors.first { $0.reason == "ok" })
        for wrong in ["/v1/webhooks/ramp", "/v1/webhooks/ramp/guess", path + "x"] {
            #expect(await api.respond("POST", wrong, headers: good.headers, body: good.body).status == 404)
        }
    }

    @Test func `open purchases are asked after, in the form of webhooks`() async throws {
        let released = try JSON(text: purchase("RELEASED"))
        let peer = API.open([
            Route(
                .get,
                "/api/host-api/purchase/{id}",
                operationID: "read",
                summary: "",
                tag: "",
                access: .public,
                parameters: [.path("id", .anyString, ""), .query("secret", .anyString, "")],
                responses: [200: ResponseShape("", .any)]
            ) { request in
                guard request.text("id") == "9393916e", request.text("secret") == "view" else { throw Problem.notFound }
                return .ok(released)
            }
        ])
        try await peer.serving { port in
            let url = "http://127.0.0.1:\(port)"
            let open = try #require(RampProvider.Trade.purchase("9393916e", "view", transaction: transaction))
            let provider = Providers.ramp(baseURL: url, open: [open])
            let body = try #require(try await provider.events(since: Timestamp(seconds: 0)).first)
            let event = try provider.event(body)
            #expect((event.state, event.transaction, event.objectID) == (.succeeded, transaction, transaction.wire))
            let later = try #require(Timestamp("2026-11-20T18:46:00Z"))
            #expect(try await provider.events(since: later).isEmpty)
            let stranger = try #require(RampProvider.Trade.purchase("other", "view", transaction: transaction))
            await #expect(throws: ProviderPollError(provider: "ramp", status: 404)) {
                try await Providers.ramp(baseURL: url, open: [stranger]).events(since: Timestamp(seconds: 0))
            }
        }
    }
}

import Cryptography
import HTTP
import Kernel
import Testing

@testable import Banking

@Suite struct MoonPayTests {
    private let transaction: ID<BankTransaction> = IDGenerator().next()

    private func body(
        _ status: String,
        _ more: String = "",
        amount: String = "12.5",
        type: String = "transaction_updated"
    ) throws -> JSON {
        try JSON(
            text: """
                {"type":"\(type)","externalCustomerId":"u1","data":{"id":"354b1f46","status":"\(status)",\(more)
                "createdAt":"2026-11-20T18:39:17.891Z","updatedAt":"2026-11-20T18:40:00.000Z","baseCurrencyAmount":50,
                "quoteCurrencyAmount":\(amount),"feeAmount":4.99,"externalTransactionId":"\(transaction.wire)",
                "currency":{"code":"usdc_polygon"},"baseCurrency":{"code":"usd"}}}
                """
        )
    }

    @Test func `a deposit is the widget's URL, signed over its query with the question mark`() async throws {
        let intent = try ProviderIntent.new("12.50", .usdc, of: transaction)
        let answer = await Providers.moonPay().createDeposit(intent)
        #expect(answer.reference == transaction.wire)
        let url = try #require(answer.action?["url"]?.stringValue)
        let parts = url.split(separator: "?")
        let fields = try #require(parts.last).split(separator: "&signature=")
        #expect(parts.first == "https://buy.moonpay.com")
        #expect(
            fields.first.map(String.init)
                == "apiKey=pk_test_key&currencyCode=usdc&walletAddress=0xabc&quoteCurrencyAmount=12.50"
                + "&lockAmount=true&externalTransactionId=\(transaction.wire)"
        )
        let query = Array("?\(fields.first ?? "")".utf8)
        let code = Base64.encode(HMACSHA256.code(over: query, key: Array("sk_test_key".utf8)))
        #expect(fields.last.map(String.init) == Percent.encode(code))
    }

    @Test func `what can't be bought is refused, and so is all else`() async throws {
        let dollars = try ProviderIntent.new("12.50", .usd)
        #expect(await Providers.moonPay().createDeposit(dollars) == .refused(reason: "not_supported"))
        let coins = try ProviderIntent.new("12.50", .usdc)
        #expect(await Providers.moonPay(hasWidget: false).createDeposit(coins) == .refused(reason: "not_offered"))
        #expect(await Providers.moonPay().createPayout(coins) == .refused(reason: "not_offered"))
        #expect(await Providers.moonPay().refund(coins, of: "x") == .refused(reason: "not_offered"))
    }

    @Test(arguments: [
        ("waitingPayment", ProviderEvent.State.confirming), ("waitingAuthorization", .confirming),
        ("pending", .processing),
        ("completed", .succeeded), ("failed", .failed), ("somethingNew", .other),
    ])
    func `each status has its meaning`(_ status: String, _ state: ProviderEvent.State) throws {
        let event = try Providers.moonPay().event(try body(status))
        #expect((event.state, event.objectID, event.transaction) == (state, transaction.wire, transaction))
        #expect(event.amount == Money(minorUnits: 12_500_000, .usdc))
        #expect(event.id == "354b1f46.transaction_updated.\(status).2026-11-20T18:40:00.000Z")
        #expect(event.occurredAt == Timestamp("2026-11-20T18:40:00Z"))
    }

    @Test func `a failure has its reason`() throws {
        let event = try Providers.moonPay().event(try body("failed", #""failureReason":"card_not_supported","#))
        #expect(event.reason == "card_not_supported")
    }

    @Test func `money is read by its digits, and what the scale can't hold is malformed`() throws {
        #expect(try Providers.moonPay().event(try body("completed", amount: "1e-6")).amount?.minorUnits == 1)
        let exact = try Providers.moonPay().event(try body("completed", amount: "9007199254.740993")).amount
        #expect(exact?.minorUnits == 9_007_199_254_740_993)
        for amount in ["0.0000001", "null", "-1"] {
            #expect(throws: ProviderEventError.malformed("data.quoteCurrencyAmount")) {
                try Providers.moonPay().event(try body("completed", amount: amount))
            }
        }
        #expect(try Providers.moonPay().event(try body("pending", amount: "null")).amount == nil)
    }

    @Test func `events that are about no purchase are of no consequence`() throws {
        let check = try JSON(text: #"{"type":"identity_check_updated","data":{"id":"c1","status":"completed"}}"#)
        #expect(try Providers.moonPay().event(check).state == .other)
        #expect(throws: ProviderEventError.malformed("type")) { try Providers.moonPay().envelope([:]) }
        #expect(throws: ProviderEventError.malformed("data")) {
            try Providers.moonPay().envelope(["type": "transaction_updated"])
        }
    }

    @Test func `the vectors' purchase is understood`() throws {
        let vector = try #require(try Vector.all("moonpay").first { $0.reason == "ok" && $0.method == "POST" })
        let event = try Providers.moonPay().event(try JSON.parse(vector.body))
        #expect((event.state, event.amount) == (.succeeded, Money(minorUnits: 2_030_000_000_000_000, .eth)))
        #expect(event.objectID == "354b1f46-480c-4307-9896-f4c81c1e1e17" && event.transaction == nil)
    }

    @Test func `open deposits are asked after, in the form of webhooks`() async throws {
        let data = try #require(try body("completed")["data"])
        let (known, unknown) = (transaction, IDGenerator().next(BankTransaction.self))
        let peer = API.open([
            Route(
                .get,
                "/v1/transactions/ext/{id}",
                operationID: "read",
                summary: "",
                tag: "",
                access: .public,
                parameters: [.path("id", .anyString, "")],
                responses: [200: ResponseShape("", .any)]
            ) { request in
                guard request.headers["Authorization"] == "Api-Key sk_test_key" else { throw Problem.unauthenticated }
                guard request.text("id") == known.wire else { throw Problem.notFound }
                return .ok([data])
            }
        ])
        try await peer.serving { port in
            let provider = Providers.moonPay(baseURL: "http://127.0.0.1:\(port)", open: [known, unknown])
            let found = try await provider.events(since: Timestamp(seconds: 0))
            #expect(
                found == [try body("completed")].map { ["type": "transaction_updated", "data": $0["data"] ?? .null] }
            )
            // The webhook of the same state is the same event.
            #expect(try provider.envelope(try #require(found.first)) == provider.envelope(try body("completed")))
            let later = try #require(Timestamp("2026-11-20T18:41:00Z"))
            #expect(try await provider.events(since: later).isEmpty)
        }
    }

    @Test func `a peer that fails is an error, not an absence`() async throws {
        let route = Route(
            .get,
            "/v1/transactions/ext/{id}",
            operationID: "read",
            summary: "",
            tag: "",
            access: .public,
            parameters: [.path("id", .anyString, "")],
            responses: [200: ResponseShape("", .any)]
        ) { _ in throw Problem(403, "forbidden", "") }
        try await API.open([route]).serving { port in
            let provider = Providers.moonPay(baseURL: "http://127.0.0.1:\(port)", open: [transaction])
            await #expect(throws: ProviderPollError(provider: "moonpay", status: 403)) {
                try await provider.events(since: Timestamp(seconds: 0))
            }
        }
    }
}

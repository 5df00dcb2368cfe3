import HTTP
import Kernel
import OutboundHTTP
import Settings
import Testing

@testable import Banking

/// Asking MoonPay and Ramp after purchases: whatever goes wrong is an error, never an absence.
@Suite struct StatusReadTests {
    /// Which provider is asked.
    enum Asked: String, CaseIterable, Sendable {
        case moonpay, ramp

        func events(at baseURL: String, deadlineSeconds: Double = 10) async throws -> [JSON] {
            let transaction: ID<BankTransaction> = IDGenerator().next()
            let since = Timestamp(seconds: 0)
            switch self {
            case .moonpay:
                return try await Providers.moonPay(
                    baseURL: baseURL,
                    open: [transaction],
                    deadlineSeconds: deadlineSeconds
                ).events(since: since)
            case .ramp:
                let purchase = try #require(RampProvider.Trade.purchase("p", "t", transaction: transaction))
                return try await Providers.ramp(
                    baseURL: baseURL,
                    open: [purchase],
                    deadlineSeconds: deadlineSeconds
                ).events(since: since)
            }
        }
    }

    /// Answers to every status read alike.
    private static func peer(_ answer: @escaping @Sendable () async throws -> APIResponse) -> API {
        let paths: [PathTemplate] = ["/v1/transactions/ext/{id}", "/api/host-api/purchase/{id}"]
        return API.open(
            paths.enumerated().map { index, path in
                let secret: [Parameter] = index == 1 ? [.query("secret", .anyString, "")] : []
                return Route(
                    .get,
                    path,
                    operationID: "read\(index)",
                    summary: "",
                    tag: "",
                    access: .public,
                    parameters: [.path("id", .anyString, "")] + secret,
                    responses: [200: ResponseShape("", .any)]
                ) { _ in try await answer() }
            }
        )
    }

    @Test(arguments: Asked.allCases, [401, 429, 500, 503])
    func `a refusal or failure of the peer is told by its status`(asked: Asked, status: Int) async throws {
        let peer = StatusReadTests.peer { throw Problem(status, "no", "") }
        try await peer.serving { port in
            await #expect(throws: ProviderPollError(provider: asked.rawValue, status: status)) {
                try await asked.events(at: "http://127.0.0.1:\(port)")
            }
        }
    }

    @Test(arguments: Asked.allCases, ["", "<html>", "{", "7", "\"text\""])
    func `an answer of another form is an error`(asked: Asked, body: String) async throws {
        let peer = StatusReadTests.peer {
            APIResponse(status: 200, body: .bytes(Array(body.utf8), mediaType: "application/json"))
        }
        try await peer.serving { port in
            await #expect(throws: ProviderPollError(provider: asked.rawValue, status: 200)) {
                try await asked.events(at: "http://127.0.0.1:\(port)")
            }
        }
    }

    @Test(arguments: Asked.allCases)
    func `a peer that doesn't answer in time is an error`(asked: Asked) async throws {
        let peer = StatusReadTests.peer {
            try await Task.sleep(for: .seconds(60))
            return .ok([])
        }
        try await peer.serving { port in
            await #expect(throws: OutboundError.self) {
                try await asked.events(at: "http://127.0.0.1:\(port)", deadlineSeconds: 0.3)
            }
        }
    }

    @Test(arguments: Asked.allCases)
    func `a peer that isn't there is an error`(asked: Asked) async throws {
        await #expect(throws: OutboundError.self) { try await asked.events(at: Providers.nowhere) }
    }

    @Test(arguments: [("failed", 503), ("text", 200), ("timeless", 200)])
    func `one that is answered wrongly keeps no other from being read`(_ fault: String, _ status: Int) async throws {
        let open: [ID<BankTransaction>] = (0..<3).map { _ in IDGenerator().next() }
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
                let data: JSON = [
                    "id": "m1", "status": "completed", "externalTransactionId": .string(request.text("id") ?? ""),
                    "currency": ["code": "usdc"], "quoteCurrencyAmount": .number("25"),
                ]
                guard request.text("id") == open[0].wire else {
                    return .ok([data.with("updatedAt", "2026-11-20T18:40:00.000Z")])
                }
                if status != 200 { throw Problem(status, "no", "") }
                return fault == "text" ? .ok("text") : .ok([data])
            }
        ])
        try await peer.serving { port in
            let provider = Providers.moonPay(baseURL: "http://127.0.0.1:\(port)", open: open)
            let read = try await provider.events(since: Timestamp(seconds: 0)).map {
                try provider.event($0).transaction
            }
            #expect(read == Array(open.dropFirst()))
        }
    }

    @Test func `a provider that is away isn't asked after everything`() async throws {
        let round = StatusRound(provider: "moonpay", logger: .quiet)
        let things: [ID<BankTransaction>] = (0..<100).map { _ in IDGenerator().next() }
        struct Away: Error {}
        var asked = 0
        await #expect(throws: Away.self) {
            _ = try await round.ask(after: things, transaction: \.self) { _ in
                asked += 1
                throw Away()
            }
        }
        #expect(asked == StatusRound.failuresMax)
    }

    @Test func `a wallet of an asset that there isn't is refused`() throws {
        let environment = [
            "MOONPAY_SECRET_KEY": "sk_test_key", "MOONPAY_WEBHOOK_SECRETS": "wk_test_key",
            "MOONPAY_PUBLISHABLE_KEY": "pk_test_key", "MOONPAY_WALLETS": "DOGE=doge:Dabc",
        ]
        let settings = try Settings(environment: environment, for: .check).providers.moonPay
        let widget = try #require(settings.widget)
        #expect(throws: UnknownWalletAsset(code: "DOGE")) { try MoonPayWidget(widget) }
    }
}

extension JSON {
    /// The object with another member.
    fileprivate func with(_ name: String, _ value: JSON) -> JSON {
        guard case .object(let members) = self else { return self }
        return .object(members + [Member(name, value)])
    }
}

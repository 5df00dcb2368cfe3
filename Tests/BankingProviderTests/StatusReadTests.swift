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

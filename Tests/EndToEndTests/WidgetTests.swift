import Foundation
import Kernel
import Testing

/// Deposits by providers whose widgets the customer is sent to.
@Suite(.serialized)
struct WidgetTests {
    private static func rampKey() throws -> String {
        let file = Program.root + "/Tests/WebhooksTests/Vectors/ramp.json"
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        let json = try JSON.parse(bytes, limits: JSON.Limits(bytesMax: 16 << 20))
        let vector = json["vectors"]?.elements?.first { $0["reason"] == "ok" }
        return try #require(vector?["keys"]?["public_pem"]?.elements?.first?.stringValue)
    }

    @Test func `a deposit is answered with the signed address of the widget`() async throws {
        let folder = try TemporaryFolder("widget")
        defer { folder.remove() }
        let key = folder.path + "/ramp.pem"
        try WidgetTests.rampKey().write(toFile: key, atomically: false, encoding: .utf8)
        let server = try await RunningServer.start(
            home: folder.path,
            settings: [
                "MOONPAY_SECRET_KEY": "sk_test_key", "MOONPAY_WEBHOOK_SECRETS": "wk_test_key",
                "MOONPAY_PUBLISHABLE_KEY": "pk_test_key", "MOONPAY_WALLETS": "USDC=usdc_polygon:0xabc",
                "RAMP_WEBHOOK_PUBLIC_KEY_FILES": key, "RAMP_WEBHOOK_PATH_SECRET": "0123456789abcdef",
                "RAMP_HOST_API_KEY": "host", "RAMP_WALLETS": "USDC=ETH_USDC:0x123",
            ]
        )
        let customer = try await Customer.make("widget", on: server)
        func deposit(_ provider: String, _ asset: String = "USDC") async throws -> Answer {
            try await customer.post(
                "/v1/banking/deposits",
                ["amount": "25.00", "asset": .string(asset), "provider": .string(provider)],
                key: UUID().uuidString
            )
        }
        let moonPay = try await deposit("moonpay")
        let address = moonPay.json["provider_action"]?["url"]?.stringValue ?? ""
        #expect(moonPay.status == 202 && moonPay.text("status") == "provider_processing", "\(moonPay.readable)")
        #expect(address.hasPrefix("https://buy.moonpay.com?apiKey=pk_test_key&currencyCode=usdc_polygon"))
        #expect(address.contains("externalTransactionId=\(moonPay.text("id"))") && address.contains("&signature="))
        let ramp = try await deposit("ramp")
        let hosted = try #require(ramp.json["provider_action"]?["url"]?.stringValue, "\(ramp.readable)")
        #expect(hosted.hasPrefix("https://app.ramp.network/?hostApiKey=host&swapAsset=ETH_USDC&swapAmount=25000000"))
        // An asset without a wallet can't be bought.
        #expect(try await deposit("moonpay", "USD").text("reason") == "not_supported")

        // Webhooks about it come by a path of its own, and by no other.
        let status = try #require(hosted.split(separator: "=").last?.removingPercentEncoding)
        let part = try #require(status.split(separator: "/").last)
        let headers = [("Content-Type", "application/json")]
        let (own, other) = ("/v1/webhooks/ramp/\(part)", "/v1/webhooks/ramp/\(part)x")
        let unsigned = try await customer.client.send("POST", own, headers: headers, body: Array("{}".utf8))
        Problems.check(unsigned, 400, "missing_header", "its own path")
        let unknown = try await customer.client.send("POST", other, headers: headers, body: Array("{}".utf8))
        Problems.check(unknown, 404, "not_found", "a path of nobody's")
        await server.stop()
    }
}

import Crypto
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

    /// Tells of a purchase as MoonPay does.
    private static func tell(
        _ purchase: String,
        _ status: String,
        _ code: String,
        of transaction: String,
        _ customer: Customer
    ) async throws {
        let body: JSON = [
            "type": "transaction_updated",
            "data": [
                "id": .string(purchase), "status": .string(status), "updatedAt": "2026-11-20T18:40:00.000Z",
                "quoteCurrencyAmount": .number("25"), "externalTransactionId": .string(transaction),
                "currency": ["code": .string(code)],
            ],
        ]
        let (bytes, time) = (body.serialized(), String(Int(Date().timeIntervalSince1970)))
        let key = SymmetricKey(data: Array("wk_test_key".utf8))
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(time).".utf8) + bytes, using: key)
        let hex = code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let answer = try await customer.client.send(
            "POST",
            "/v1/webhooks/moonpay",
            headers: [("Content-Type", "application/json"), ("Moonpay-Signature-V2", "t=\(time),s=\(hex)")],
            body: bytes
        )
        try #require(answer.text("status") == "stored", "\(answer.readable)")
    }

    /// Something else is bought by the address, then what was agreed, then that a second time.
    private static func buy(_ transaction: String, _ customer: Customer) async throws {
        let path = "/v1/banking/transactions/\(transaction)"
        func waitForDead(_ count: Int) async throws {
            let deadline = ContinuousClock.now + .seconds(20)
            var lines: [Substring] = []
            repeat {
                let list = try await customer.server.command("inbox", "list", "dead", "--source", "moonpay")
                lines = list.output.split(separator: "\n").filter { $0.contains(transaction) }
            } while lines.count < count && ContinuousClock.now < deadline
            #expect(lines.count == count, "\(lines)")
        }
        try await tell("other", "completed", "doge", of: transaction, customer)
        try await waitForDead(1)
        #expect(try await customer.get(path).text("status") == "provider_processing")
        try await tell("first", "completed", "usdc_polygon", of: transaction, customer)
        try await customer.wait(path, until: ["completed"])
        let credited = try await customer.balances()["banking checking USDC"]
        #expect(credited == "23.85")
        try await tell("second", "completed", "usdc_polygon", of: transaction, customer)
        try await waitForDead(2)
        #expect(try await customer.balances()["banking checking USDC"] == credited)
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
        try await WidgetTests.buy(moonPay.text("id"), customer)

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

import Foundation
import Kernel
import Testing
import WalletSigners

/// A customer buys crypto to a wallet of their own and sells it from there; none of it stands in our books.
struct OwnWalletStoryTests {
    private static let purchases = "/v1/banking/purchases"

    private func order(_ amount: String, _ wallet: String, asset: String = "ETH") -> JSON {
        ["amount": .string(amount), "asset": .string(asset), "wallet": .string(wallet)]
    }

    @Test func `crypto is bought to and sold from one's own wallet, and no balance changes`() async throws {
        let server = try await SharedServer.get()
        let (ada, bob) = (try await Customer.make("ada", on: server), try await Customer.make("bob", on: server))
        let signer = try Signer(secret: (0..<32).map { _ in UInt8.random(in: 1...254) })
        let wallet = try await ada.linkWallet("eip155:1", signer)
        // Banking hears of the wallet a moment later.
        let deadline = ContinuousClock.now + .seconds(60)
        var bought = try await ada.post(Self.purchases, order("0.5", wallet), key: "buy")
        while bought.status == 404, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(100))
            bought = try await ada.post(Self.purchases, order("0.5", wallet), key: UUID().uuidString)
        }
        try #require(bought.status == 202, "\(bought.readable)")
        #expect(bought.json["provider_action"]?["type"]?.stringValue == "sandbox_client_secret")
        #expect(bought.text("wallet").hasPrefix("eip155:1:0x") && bought.text("account") == "own_wallet")
        try await ada.wait("/v1/banking/transactions/\(bought.text("id"))", until: ["completed"])
        let sold = try await ada.post("/v1/banking/sales", order("0.25", wallet), key: "sell")
        try #require(sold.status == 202, "\(sold.readable)")
        try await ada.wait("/v1/banking/transactions/\(sold.text("id"))", until: ["completed"])
        #expect(try await ada.balances().allSatisfy { !$0.key.contains("ETH") || $0.value == "0.00" })
        #expect(try await ada.get("/v1/banking/transactions/\(sold.text("id"))/explain").status == 200)

        let stranger = try await bob.post(Self.purchases, order("0.5", wallet), key: "buy")
        #expect(stranger.status == 404, "\(stranger.readable)")
        let excess = try await ada.post(Self.purchases, order("11", wallet), key: "much")
        #expect(excess.text("code") == "limit_exceeded", "\(excess.readable)")
        let other = try await ada.post(Self.purchases, order("5", wallet, asset: "EUR"), key: "euro")
        #expect(other.status == 422, "\(other.readable)")
        let gone = try await ada.send(
            "POST",
            "/v1/defi/wallets/\(wallet)/revoke",
            body: nil,
            headers: [("If-Match", "\"2\"")]
        )
        #expect(gone.text("status") == "revoked", "\(gone.readable)")
        var late = try await ada.post(Self.purchases, order("0.5", wallet), key: "late")
        while late.status == 202, ContinuousClock.now < deadline {
            late = try await ada.post(Self.purchases, order("0.1", wallet), key: UUID().uuidString)
        }
        #expect(late.text("code") == "wallet_not_verified", "\(late.readable)")
    }
}

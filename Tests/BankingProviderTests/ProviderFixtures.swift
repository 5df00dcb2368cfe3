import HTTP
import Kernel
import PostgreSQL
import Settings
import TestSupport

@testable import Banking

/// Providers whose peers aren't asked.
enum Providers {
    static let nowhere = "http://127.0.0.1:1"

    static var stripe: StripeProvider {
        StripeProvider(secretKey: Secret("sk_test_12345"), baseURL: nowhere, http: .loopback(), logger: .quiet)
    }

    static func moonPay(
        baseURL: String = nowhere,
        open: [ID<BankTransaction>] = [],
        sales: [ID<BankTransaction>] = [],
        hasWidget: Bool = true,
        deadlineSeconds: Double = 10
    ) -> MoonPayProvider {
        let wallets: [Asset: MoonPayWidget.Wallet] = [.usdc: .init(currencyCode: "usdc", address: "0xabc")]
        let widget = MoonPayWidget(
            baseURL: "https://buy.moonpay.com",
            sellURL: "https://sell.moonpay.com",
            publishableKey: "pk_test_key",
            wallets: wallets,
            currency: { $0 == .eth && $1.hasPrefix("eip155:1:") ? ("eth", String($1.dropFirst(9))) : nil }
        )
        return MoonPayProvider(
            secretKey: Secret("sk_test_key"),
            baseURL: baseURL,
            http: .loopback(),
            widget: hasWidget ? widget : nil,
            deadlineSeconds: deadlineSeconds,
            logger: .quiet
        ) { kinds, countMax in Array((kinds == [.sale] ? sales : open).prefix(countMax)) }
    }

    static func ramp(
        baseURL: String = nowhere,
        open: [RampProvider.Trade] = [],
        hasWidget: Bool = true,
        deadlineSeconds: Double = 10
    ) -> RampProvider {
        let widget = RampWidget(
            baseURL: "https://app.ramp.network",
            hostAPIKey: "key",
            webhookURL: "https://diboas.example/v1/webhooks/ramp",
            intentPaths: WebhookFixture.paths,
            wallets: [.eth: .init(symbol: "ETH_ETH", address: "0xdef")],
            currency: { $0 == .usdc && $1.hasPrefix("eip155:1:") ? ("ETH_USDC", String($1.dropFirst(9))) : nil }
        )
        return RampProvider(
            baseURL: baseURL,
            http: .loopback(),
            widget: hasWidget ? widget : nil,
            deadlineSeconds: deadlineSeconds,
            logger: .quiet
        ) { countMax in Array(open.prefix(countMax)) }
    }

    /// The simulator without a database; it can read events only.
    static var sandbox: SandboxProvider {
        let options = ConnectionOptions(url: "host=/nonexistent", applicationName: "test")
        return SandboxProvider(
            schema: .banking,
            pool: Pool(options, size: 1, waitSeconds: 1),
            ids: IDGenerator(),
            clock: SystemClock()
        )
    }
}

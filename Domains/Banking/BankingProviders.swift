import Cryptography
import DomainKit
import Kernel
import PostgreSQL
import ServiceLifecycle
import Settings
import Webhooks

/// The providers that the settings name, with how their webhooks are checked.
struct BankingProviders: Sendable {
    /// In order of preference: the first takes deposits and payouts of requests that name none.
    private(set) var all: [any PaymentProvider] = []
    private(set) var webhooks: [WebhookSource] = []
    private(set) var services: [any Service] = []

    /// - Throws: `KeyRingError` for webhook keys that can't be used, `UnknownWalletAsset` for a wallet of an asset that
    ///   there isn't; the program doesn't start then.
    init(_ runtime: DomainRuntime, _ platform: PlatformServices) throws {
        let settings = platform.settings.providers
        let open = OpenTransactionRows(schema: runtime.schema, pool: runtime.pool)
        if settings.sandboxIsOn { try addSandbox(settings, runtime, platform) }
        if let stripe = StripeProvider(settings.stripe, http: platform.outbound, logger: platform.logger) {
            all.append(stripe)
            try listen(to: stripe, .stripe, settings.stripe.webhookSecrets.map { $0.reveal() })
        }
        if let moonPay = MoonPayProvider(
            settings.moonPay,
            http: platform.outbound,
            widget: try settings.moonPay.widget.map(MoonPayWidget.init),
            logger: platform.logger,
            open: { try await open.transactions(by: "moonpay", $0, countMax: $1) }
        ) {
            all.append(moonPay)
            try listen(to: moonPay, .moonPay, settings.moonPay.webhookSecrets.map { $0.reveal() })
        }
        if !settings.ramp.webhookPublicKeyFiles.isEmpty {
            let paths = settings.ramp.pathSecret.map { IntentPaths(secret: Array($0.reveal().utf8)) }
            let webhookURL = platform.settings.http.publicURL + "/v1/webhooks/ramp"
            let ramp = RampProvider(
                baseURL: settings.ramp.baseURL,
                http: platform.outbound,
                widget: try paths.flatMap { paths in
                    try settings.ramp.widget.map { try RampWidget($0, webhookURL: webhookURL, paths) }
                },
                logger: platform.logger,
                openTrades: { try await open.trades(countMax: $0) }
            )
            all.append(ramp)
            try listen(to: ramp, .ramp, try settings.ramp.webhookPublicKeyFiles.map(PublicKeyFile.read), paths)
        }
    }

    private mutating func addSandbox(
        _ settings: Settings.Providers,
        _ runtime: DomainRuntime,
        _ platform: PlatformServices
    ) throws {
        let sandbox = SandboxProvider(
            schema: runtime.schema,
            pool: runtime.pool,
            ids: platform.ids,
            clock: platform.clock
        )
        all.append(sandbox)
        guard !settings.sandboxWebhookSecrets.isEmpty else { return }
        try listen(to: sandbox, .standardWebhooks, settings.sandboxWebhookSecrets.map { $0.reveal() })
        services.append(
            SandboxDeliveries(
                schema: runtime.schema,
                pool: runtime.pool,
                clock: platform.clock,
                http: platform.outbound,
                publicURL: platform.settings.http.publicURL,
                secrets: settings.sandboxWebhookSecrets,
                logger: platform.logger
            )
        )
    }

    private mutating func listen(
        to provider: some PaymentProvider & WebhookReader,
        _ signature: WebhookProvider,
        _ keys: [String],
        _ paths: IntentPaths? = nil
    ) throws {
        guard !keys.isEmpty else { return }
        let ring = try KeyRing(signature, texts: keys)
        webhooks.append(
            WebhookSource(
                name: provider.name,
                signature: signature,
                keys: ring,
                reader: provider,
                intentPaths: paths
            )
        )
    }
}

/// A wallet in the settings of an asset that there isn't.
struct UnknownWalletAsset: Error, Hashable {
    let code: String
}

extension Settings.Providers.Widget {
    /// What the provider calls an asset on the chain of a wallet (CAIP-10), and the address there; nil for what it
    /// doesn't sell and buy.
    func currency(_ asset: Asset, at wallet: String) -> (name: String, address: String)? {
        let parts = wallet.split(separator: ":", maxSplits: 2).map(String.init)
        guard parts.count == 3,
            let found = currencies.first(where: { $0.asset == asset.code && $0.chain == "\(parts[0]):\(parts[1])" })
        else { return nil }
        return (found.name, parts[2])
    }

    /// The wallets by asset.
    ///
    /// - Throws: `UnknownWalletAsset`.
    func byAsset<Wallet>(_ make: (Settings.Providers.Wallet) -> Wallet) throws -> [Asset: Wallet] {
        var found: [Asset: Wallet] = [:]
        for wallet in wallets {
            guard let asset = Asset(code: wallet.asset) else { throw UnknownWalletAsset(code: wallet.asset) }
            found[asset] = make(wallet)
        }
        return found
    }
}

import Kernel
import Settings

/// What the widget's URL is made of.
struct RampWidget: Sendable {
    /// Where the widget is: `https://app.ramp.network`.
    let baseURL: String
    /// The key that names us.
    let hostAPIKey: String
    /// Where webhooks go, without the part of the intent: `https://…/v1/webhooks/ramp`.
    let webhookURL: String
    /// The last parts of the webhooks' paths.
    let intentPaths: IntentPaths
    /// What each asset that can be bought is called by Ramp (`ETH_USDC`), and the wallet of ours that gets it.
    let wallets: [Asset: Wallet]
    /// What can be bought to and sold from the customers' own wallets: Ramp's symbol and the address, by CAIP-10.
    let currency: @Sendable (_ asset: Asset, _ wallet: String) -> (name: String, address: String)?

    struct Wallet: Sendable, Hashable {
        let symbol: String
        let address: String
    }

    /// The URL for a deposit; nil for an asset without a wallet.
    func url(for intent: ProviderIntent) -> String? {
        guard let wallet = wallets[intent.amount.asset] else { return nil }
        return url(for: intent, wallet.symbol, at: wallet.address)
    }

    /// The URL for a purchase to the customer's own wallet; nil for what isn't sold there.
    func purchaseURL(for intent: ProviderIntent) -> String? {
        guard let found = intent.wallet.flatMap({ currency(intent.amount.asset, $0) }) else { return nil }
        return url(for: intent, found.name, at: found.address)
    }

    /// The URL for a sale from the customer's own wallet; nil for what isn't bought from there.
    ///
    /// Source: https://docs.ramp.network/configuration
    func saleURL(for intent: ProviderIntent) -> String? {
        guard let found = intent.wallet.flatMap({ currency(intent.amount.asset, $0) }) else { return nil }
        return page([
            ("hostApiKey", hostAPIKey), ("enabledFlows", "OFFRAMP"), ("defaultFlow", "OFFRAMP"),
            ("offrampAsset", found.name), ("swapAmount", String(intent.amount.minorUnits)),
            ("userAddress", found.address), ("offrampWebhookV3Url", webhook(intent)),
        ])
    }

    private func url(for intent: ProviderIntent, _ symbol: String, at address: String) -> String {
        // https://docs.ramp.network/configuration: `swapAmount` is in the asset's smallest unit.
        page([
            ("hostApiKey", hostAPIKey), ("swapAsset", symbol), ("swapAmount", String(intent.amount.minorUnits)),
            ("userAddress", address), ("webhookStatusUrl", webhook(intent)),
        ])
    }

    private func webhook(_ intent: ProviderIntent) -> String {
        webhookURL + "/" + intentPaths.part(for: intent.transaction)
    }

    private func page(_ fields: [(String, String)]) -> String {
        baseURL + "/?" + fields.map { "\($0)=\(Percent.encode($1))" }.joined(separator: "&")
    }
}

extension RampWidget {
    /// The widget as it is configured.
    ///
    /// - Throws: `UnknownWalletAsset`.
    init(_ settings: Settings.Providers.Widget, webhookURL: String, _ paths: IntentPaths) throws {
        self.init(
            baseURL: settings.url,
            hostAPIKey: settings.key,
            webhookURL: webhookURL,
            intentPaths: paths,
            wallets: try settings.byAsset { Wallet(symbol: $0.name, address: $0.address) },
            currency: { settings.currency($0, at: $1) }
        )
    }
}

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

    struct Wallet: Sendable, Hashable {
        let symbol: String
        let address: String
    }

    /// The URL for an intent; nil for an asset without a wallet.
    func url(for intent: ProviderIntent) -> String? {
        guard let wallet = wallets[intent.amount.asset] else { return nil }
        // https://docs.ramp.network/configuration: `swapAmount` is in the asset's smallest unit.
        let fields = [
            ("hostApiKey", hostAPIKey), ("swapAsset", wallet.symbol), ("swapAmount", String(intent.amount.minorUnits)),
            ("userAddress", wallet.address),
            ("webhookStatusUrl", webhookURL + "/" + intentPaths.part(for: intent.transaction)),
        ]
        return baseURL + "/?" + fields.map { "\($0)=\(Percent.encode($1))" }.joined(separator: "&")
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
            wallets: try settings.byAsset { Wallet(symbol: $0.name, address: $0.address) }
        )
    }
}

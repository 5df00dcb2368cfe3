import Cryptography
import Kernel
import Settings

/// What the widget's URL is made of.
struct MoonPayWidget: Sendable {
    /// Where the widget is: `https://buy.moonpay.com`.
    let baseURL: String
    /// The key that names us: `pk_…`.
    let publishableKey: String
    /// What each asset that can be bought is called by MoonPay, and the wallet of ours that gets it.
    let wallets: [Asset: Wallet]

    struct Wallet: Sendable, Hashable {
        /// MoonPay's code: `usdc`, `usdc_polygon`.
        let currencyCode: String
        let address: String
    }

    /// The signed URL for an intent; nil for an asset without a wallet.
    ///
    /// The signature is base64 of HMAC-SHA256 over the query with its question mark; webhooks are signed differently.
    /// Source: https://dev.moonpay.com/docs/ramps-sdk-url-signing
    func url(for intent: ProviderIntent, secretKey: Secret) -> String? {
        guard let wallet = wallets[intent.amount.asset] else { return nil }
        let fields = [
            ("apiKey", publishableKey), ("currencyCode", wallet.currencyCode), ("walletAddress", wallet.address),
            ("quoteCurrencyAmount", intent.amount.wire), ("lockAmount", "true"),
            ("externalTransactionId", intent.transaction.wire),
        ]
        let query = "?" + fields.map { "\($0)=\(Percent.encode($1))" }.joined(separator: "&")
        let code = HMACSHA256.code(over: Array(query.utf8), key: Array(secretKey.reveal().utf8))
        return baseURL + query + "&signature=" + Percent.encode(Base64.encode(code))
    }
}

extension MoonPayWidget {
    /// The widget as it is configured.
    ///
    /// - Throws: `UnknownWalletAsset`.
    init(_ settings: Settings.Providers.Widget) throws {
        self.init(
            baseURL: settings.url,
            publishableKey: settings.key,
            wallets: try settings.byAsset { Wallet(currencyCode: $0.name, address: $0.address) }
        )
    }
}

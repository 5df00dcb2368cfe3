import Cryptography
import Kernel
import Settings

/// What the widget's URL is made of.
struct MoonPayWidget: Sendable {
    /// Where the widget is: `https://buy.moonpay.com`.
    let baseURL: String
    /// Where it is for selling: `https://sell.moonpay.com`.
    let sellURL: String
    /// The key that names us: `pk_…`.
    let publishableKey: String
    /// What each asset that can be bought is called by MoonPay, and the wallet of ours that gets it.
    let wallets: [Asset: Wallet]
    /// What can be bought to and sold from the customers' own wallets: MoonPay's code and the address, by CAIP-10.
    let currency: @Sendable (_ asset: Asset, _ wallet: String) -> (name: String, address: String)?

    struct Wallet: Sendable, Hashable {
        /// MoonPay's code: `usdc`, `usdc_polygon`.
        let currencyCode: String
        let address: String
    }

    /// The signed URL for a deposit; nil for an asset without a wallet.
    func url(for intent: ProviderIntent, secretKey: Secret) -> String? {
        guard let wallet = wallets[intent.amount.asset] else { return nil }
        return url(for: intent, buying: wallet.currencyCode, to: wallet.address, secretKey)
    }

    /// The signed URL for a purchase to the customer's own wallet; nil for what isn't sold there.
    func purchaseURL(for intent: ProviderIntent, secretKey: Secret) -> String? {
        guard let found = intent.wallet.flatMap({ currency(intent.amount.asset, $0) }) else { return nil }
        return url(for: intent, buying: found.name, to: found.address, secretKey)
    }

    /// The signed URL for a sale from the customer's own wallet, to which crypto goes back if it fails; nil for what
    /// isn't bought from there.
    ///
    /// Source: https://dev.moonpay.com/docs/off-ramp-sdk-parameters
    func saleURL(for intent: ProviderIntent, secretKey: Secret) -> String? {
        guard let found = intent.wallet.flatMap({ currency(intent.amount.asset, $0) }) else { return nil }
        let fields = [
            ("apiKey", publishableKey), ("baseCurrencyCode", found.name), ("baseCurrencyAmount", intent.amount.wire),
            ("lockAmount", "true"), ("refundWalletAddress", found.address),
            ("externalTransactionId", intent.transaction.wire),
        ]
        return signed(fields, at: sellURL, secretKey)
    }

    private func url(
        for intent: ProviderIntent,
        buying code: String,
        to address: String,
        _ secretKey: Secret
    ) -> String {
        let fields = [
            ("apiKey", publishableKey), ("currencyCode", code), ("walletAddress", address),
            ("quoteCurrencyAmount", intent.amount.wire), ("lockAmount", "true"),
            ("externalTransactionId", intent.transaction.wire),
        ]
        return signed(fields, at: baseURL, secretKey)
    }

    /// The signature is base64 of HMAC-SHA256 over the query with its question mark; webhooks are signed differently.
    /// Source: https://dev.moonpay.com/docs/ramps-sdk-url-signing
    private func signed(_ fields: [(String, String)], at page: String, _ secretKey: Secret) -> String {
        let query = "?" + fields.map { "\($0)=\(Percent.encode($1))" }.joined(separator: "&")
        let code = HMACSHA256.code(over: Array(query.utf8), key: Array(secretKey.reveal().utf8))
        return page + query + "&signature=" + Percent.encode(Base64.encode(code))
    }
}

extension MoonPayWidget {
    /// The widget as it is configured.
    ///
    /// - Throws: `UnknownWalletAsset`.
    init(_ settings: Settings.Providers.Widget) throws {
        self.init(
            baseURL: settings.url,
            sellURL: settings.sellURL,
            publishableKey: settings.key,
            wallets: try settings.byAsset { Wallet(currencyCode: $0.name, address: $0.address) },
            currency: { settings.currency($0, at: $1) }
        )
    }
}

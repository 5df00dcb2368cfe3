extension Settings {
    /// The payment providers; one without secrets is off.
    public struct Providers: Sendable {
        /// Stripe: card payments and refunds.
        public let stripe: Stripe
        /// MoonPay: webhooks and status.
        public let moonPay: MoonPay
        /// Ramp: webhooks and status.
        public let ramp: Ramp
        /// Whether the simulated provider is offered.
        public let sandboxIsOn: Bool
        /// Secrets of the simulator's webhooks, the current one first; empty for none.
        public let sandboxWebhookSecrets: [Secret]

        /// Webhook secrets of Persona, which checks identities, the current one first; empty for none.
        public let personaWebhookSecrets: [Secret]
        /// Webhook secrets of Sumsub, which checks identities, the current one first; empty for none.
        public let sumsubWebhookSecrets: [Secret]

        /// Stripe's settings.
        public struct Stripe: Sendable {
            /// The API key.
            public let secretKey: Secret?
            /// Where the API is.
            public let baseURL: String
            /// Webhook secrets as text, the current one first; empty for none.
            public let webhookSecrets: [Secret]
        }

        /// MoonPay's settings.
        public struct MoonPay: Sendable {
            /// The API key.
            public let secretKey: Secret?
            /// Where the API is.
            public let baseURL: String
            /// Webhook keys as text, the current one first; empty for none.
            public let webhookSecrets: [Secret]
            /// What its widget is opened with; nil to take no deposits by it.
            public let widget: Widget?
        }

        /// Ramp's settings.
        public struct Ramp: Sendable {
            /// The API key.
            public let secretKey: Secret?
            /// Where the API is.
            public let baseURL: String
            /// PEM files of the provider's public keys on secp256k1, the current one first; empty for none.
            public let webhookPublicKeyFiles: [String]
            /// Makes the part of webhooks' paths that names an intent; nil for one path for all.
            public let pathSecret: Secret?
            /// What its widget is opened with; nil to take no deposits by it.
            public let widget: Widget?
        }

        /// A provider's page on which the customer pays.
        public struct Widget: Sendable {
            /// Where it is, without a slash at its end.
            public let url: String
            /// The key that names us; it is no secret.
            public let key: String
            /// Where it is for selling, without a slash at its end.
            public let sellURL: String
            /// Where what is bought for an account of ours goes to; empty to take no deposits.
            public let wallets: [Wallet]
            /// What can be bought to and sold from wallets of the customers' own.
            public let currencies: [Currency]
        }

        /// An asset on a chain that a provider sells and buys.
        public struct Currency: Sendable, Hashable {
            /// The asset's code: `USDC`.
            public let asset: String
            /// The chain by CAIP-2: `eip155:1`.
            public let chain: String
            /// What the provider calls it: `usdc`.
            public let name: String

            /// Reads `ASSET@CHAIN=NAME`.
            init?(_ text: String) {
                let halves = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
                guard halves.count == 2, let at = halves[0].firstIndex(of: "@") else { return nil }
                (asset, name) = (String(halves[0][..<at]), halves[1])
                chain = String(halves[0][halves[0].index(after: at)...])
                let parts = chain.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2, ([asset, name] + parts).allSatisfy(SettingFormat<String>.isWord) else {
                    return nil
                }
            }
        }

        /// A wallet of ours for one asset.
        public struct Wallet: Sendable, Hashable {
            /// The asset's code: `USDC`.
            public let asset: String
            /// What the provider calls it: `usdc_polygon`.
            public let name: String
            /// The address.
            public let address: String

            /// Reads `ASSET=NAME:ADDRESS`.
            init?(_ text: String) {
                let halves = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
                guard halves.count == 2, let colon = halves[1].firstIndex(of: ":") else { return nil }
                (asset, name) = (halves[0], String(halves[1][..<colon]))
                address = String(halves[1][halves[1].index(after: colon)...])
                guard [asset, name, address].allSatisfy(SettingFormat<String>.isWord) else { return nil }
            }
        }

        init(_ reader: inout SettingsReader) {
            stripe = Stripe(
                secretKey: reader.apiKey("STRIPE_SECRET_KEY", of: "Stripe"),
                baseURL: reader.api("STRIPE_BASE_URL", of: "Stripe", default: "https://api.stripe.com"),
                webhookSecrets: reader.ring("STRIPE_WEBHOOK_SECRETS", of: "Stripe")
            )
            moonPay = MoonPay(
                secretKey: reader.apiKey("MOONPAY_SECRET_KEY", of: "MoonPay"),
                baseURL: reader.api("MOONPAY_BASE_URL", of: "MoonPay", default: "https://api.moonpay.com"),
                webhookSecrets: reader.ring("MOONPAY_WEBHOOK_SECRETS", of: "MoonPay"),
                widget: reader.widget(
                    "MOONPAY",
                    "PUBLISHABLE_KEY",
                    of: "MoonPay",
                    ["https://buy.moonpay.com", "https://sell.moonpay.com"]
                )
            )
            ramp = Ramp(
                secretKey: reader.apiKey("RAMP_SECRET_KEY", of: "Ramp"),
                baseURL: reader.api("RAMP_BASE_URL", of: "Ramp", default: "https://api.ramp.network"),
                webhookPublicKeyFiles: reader.optional(
                    "RAMP_WEBHOOK_PUBLIC_KEY_FILES",
                    .absolutePaths(countMax: SettingFormat<[Secret]>.ringCountMax),
                    "PEM files of Ramp's public webhook keys, the current one first."
                ) ?? [],
                pathSecret: reader.optional(
                    "RAMP_WEBHOOK_PATH_SECRET",
                    .secret(bytes: 16...512),
                    "Makes the part of webhooks' paths that names a deposit, which Ramp's events don't."
                ),
                widget: reader.widget("RAMP", "HOST_API_KEY", of: "Ramp", ["https://app.ramp.network"])
            )
            reader.requireForWidgets(moonPay, ramp)
            sandboxIsOn = reader.value(
                "DIBOAS_SANDBOX",
                .flag,
                default: "off",
                "Whether the simulated provider is offered, and a name alone identifies: not where money is real."
            )
            personaWebhookSecrets = reader.ring("PERSONA_WEBHOOK_SECRETS", of: "Persona")
            sumsubWebhookSecrets = reader.ring("SUMSUB_WEBHOOK_SECRETS", of: "Sumsub")
            sandboxWebhookSecrets = reader.ring("DIBOAS_SANDBOX_WEBHOOK_SECRETS", of: "the simulated provider")
        }
    }
}

extension SettingsReader {
    fileprivate mutating func apiKey(_ key: String, of provider: String) -> Secret? {
        optional(key, .secret(bytes: 8...512), "API key of \(provider).")
    }

    fileprivate mutating func api(_ key: String, of provider: String, default standard: String) -> String {
        value(key, .webURL, default: standard, "Where the API of \(provider) is.")
    }

    fileprivate mutating func widget(
        _ provider: String,
        _ keyName: String,
        of name: String,
        _ standards: [String]
    ) -> Settings.Providers.Widget? {
        let url = value("\(provider)_WIDGET_URL", .webURL, default: standards[0], "Where the widget of \(name) is.")
        // Where there is one page for both, its address is the same.
        let sellURL =
            standards.count == 1
            ? url
            : value("\(provider)_SELL_WIDGET_URL", .webURL, default: standards[1], "Where \(name)'s is for selling.")
        let key = optional("\(provider)_\(keyName)", .word, "Names us to the widget of \(name); it is no secret.")
        let wallets = optional(
            "\(provider)_WALLETS",
            .wallets(countMax: 16),
            "Wallets of ours, as in USDC=usdc_polygon:0x…, that get what is bought in the widget of \(name)."
        )
        let currencies = optional(
            "\(provider)_CURRENCIES",
            .currencies(countMax: 64),
            "What \(name) sells to and buys from customers' own wallets, as in USDC@eip155:1=usdc."
        )
        guard let key else {
            if wallets != nil { contradict("\(provider)_WALLETS", "needs \(provider)_\(keyName)") }
            if currencies != nil { contradict("\(provider)_CURRENCIES", "needs \(provider)_\(keyName)") }
            return nil
        }
        guard wallets != nil || currencies != nil else {
            contradict("\(provider)_\(keyName)", "needs \(provider)_WALLETS or \(provider)_CURRENCIES")
            return nil
        }
        return Settings.Providers.Widget(
            url: url,
            key: key,
            sellURL: sellURL,
            wallets: wallets ?? [],
            currencies: currencies ?? []
        )
    }

    /// A widget without what tells of its payments would take money that nobody hears of.
    fileprivate mutating func requireForWidgets(
        _ moonPay: Settings.Providers.MoonPay,
        _ ramp: Settings.Providers.Ramp
    ) {
        if moonPay.widget != nil {
            if moonPay.secretKey == nil { contradict("MOONPAY_PUBLISHABLE_KEY", "needs MOONPAY_SECRET_KEY") }
            if moonPay.webhookSecrets.isEmpty {
                contradict("MOONPAY_PUBLISHABLE_KEY", "needs MOONPAY_WEBHOOK_SECRETS")
            }
        }
        if ramp.widget != nil {
            if ramp.pathSecret == nil { contradict("RAMP_HOST_API_KEY", "needs RAMP_WEBHOOK_PATH_SECRET") }
            if ramp.webhookPublicKeyFiles.isEmpty {
                contradict("RAMP_HOST_API_KEY", "needs RAMP_WEBHOOK_PUBLIC_KEY_FILES")
            }
        }
    }

    fileprivate mutating func ring(_ key: String, of provider: String) -> [Secret] {
        optional(key, .ring(bytes: 8...512), "Webhook secrets of \(provider), the current one first.") ?? []
    }
}

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
        }

        /// Ramp's settings.
        public struct Ramp: Sendable {
            /// The API key.
            public let secretKey: Secret?
            /// Where the API is.
            public let baseURL: String
            /// PEM files of the provider's public keys on secp256k1, the current one first; empty for none.
            public let webhookPublicKeyFiles: [String]
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
                webhookSecrets: reader.ring("MOONPAY_WEBHOOK_SECRETS", of: "MoonPay")
            )
            ramp = Ramp(
                secretKey: reader.apiKey("RAMP_SECRET_KEY", of: "Ramp"),
                baseURL: reader.api("RAMP_BASE_URL", of: "Ramp", default: "https://api.ramp.network"),
                webhookPublicKeyFiles: reader.optional(
                    "RAMP_WEBHOOK_PUBLIC_KEY_FILES",
                    .absolutePaths(countMax: SettingFormat<[Secret]>.ringCountMax),
                    "PEM files of Ramp's public webhook keys, the current one first."
                ) ?? []
            )
            sandboxIsOn = reader.value(
                "DIBOAS_SANDBOX",
                .flag,
                default: "off",
                "Whether the simulated provider is offered."
            )
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

    fileprivate mutating func ring(_ key: String, of provider: String) -> [Secret] {
        optional(key, .ring(bytes: 8...512), "Webhook secrets of \(provider), the current one first.") ?? []
    }
}

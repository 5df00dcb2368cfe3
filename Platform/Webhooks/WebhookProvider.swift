/// Whose webhooks can be checked; the raw values name them in paths, configuration and vector files.
public enum WebhookProvider: String, Hashable, Sendable, CaseIterable {
    /// Stripe: `Stripe-Signature`.
    case stripe
    /// MoonPay: `Moonpay-Signature-V2`.
    case moonPay = "moonpay"
    /// Ramp Network: `X-Body-Signature`.
    case ramp
    /// Any sender that follows Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    case standardWebhooks = "standardwebhooks"
    /// Persona: `Persona-Signature`.
    case persona
    /// Sumsub: `X-Payload-Digest`, `X-Payload-Digest-Alg`.
    case sumsub

    /// The check of this provider's signatures.
    public var verifier: any WebhookVerifier {
        switch self {
        case .stripe: StripeSignature()
        case .moonPay: MoonPaySignature()
        case .ramp: RampSignature()
        case .standardWebhooks: StandardWebhooksSignature()
        case .persona: PersonaSignature()
        case .sumsub: SumsubSignature()
        }
    }
}

import Kernel
import Webhooks

/// A provider whose webhooks are taken.
struct WebhookSource: Sendable {
    /// Its name in the path and in the inbox: `stripe`.
    let name: String
    /// How it signs.
    let signature: WebhookProvider
    /// The keys that it signs with.
    let keys: KeyRing
    /// Finds ids in its bodies.
    let reader: any WebhookReader
    /// What the last part of its path must be, where each intent has a path of its own; else nil.
    let intentPaths: IntentPaths?

    init(
        name: String,
        signature: WebhookProvider,
        keys: KeyRing,
        reader: any WebhookReader,
        intentPaths: IntentPaths? = nil
    ) {
        (self.name, self.signature, self.keys) = (name, signature, keys)
        (self.reader, self.intentPaths) = (reader, intentPaths)
    }

    /// Whether it also calls by GET, with its words in the query.
    var callsByQuery: Bool { signature == .moonPay }

    /// The headers that it signs with, in lower case; they are kept beside the body as evidence.
    var signatureHeaders: [String] {
        switch signature {
        case .stripe: ["stripe-signature"]
        case .moonPay: ["moonpay-signature-v2"]
        case .ramp: ["x-body-signature"]
        case .standardWebhooks: ["webhook-id", "webhook-timestamp", "webhook-signature"]
        case .persona: ["persona-signature"]
        case .sumsub: ["x-payload-digest", "x-payload-digest-alg"]
        }
    }
}

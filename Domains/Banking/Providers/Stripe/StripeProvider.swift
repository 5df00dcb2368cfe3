import Kernel
import Logging
import OutboundHTTP
import Settings

/// Stripe: card payments by payment intents, and their refunds.
///
/// It pays out to nobody but us, so not to customers.
///
/// One intent of ours is at most one object of Stripe's, whatever gets lost on the way. Stripe sees to that by the
/// idempotency key; so that it holds for peers too that don't know keys, and after 24 hours, when Stripe forgets them,
/// each object names its transaction in its metadata, and a look through the list precedes each attempt and follows
/// each one whose outcome is unclear.
struct StripeProvider: PaymentProvider {
    /// How much earlier than its transaction an object may seem to be created, by a clock that is behind ours.
    private static let clockSkewSeconds: Int64 = 300
    /// Seconds after which what was read is too old to act upon: with the request behind it, an attempt has to end
    /// before anybody thinks it dead and makes another one beside it.
    private static let readingAgeMax = Duration.seconds(20)

    let name = "stripe"
    let client: StripeClient
    private let logger: Logger

    init(
        secretKey: Secret,
        baseURL: String,
        http: HTTPClient,
        logger: Logger,
        deadlineSeconds: Double = StripeClient.deadlineSeconds
    ) {
        client = StripeClient(
            secretKey: secretKey,
            baseURL: baseURL,
            http: http,
            logger: logger,
            deadlineSeconds: deadlineSeconds
        )
        self.logger = logger
    }

    /// Stripe as it is configured; nil where there is no API key.
    init?(_ settings: Settings.Providers.Stripe, http: HTTPClient, logger: Logger) {
        guard let key = settings.secretKey else { return nil }
        self.init(secretKey: key, baseURL: settings.baseURL, http: http, logger: logger)
    }

    /// A payment intent of the amount; with a linked card it is charged at once, else the customer pays by the client
    /// secret.
    ///
    /// `unavailable` says of this attempt that nothing was created; `unknown` that a look through the list didn't help.
    func createDeposit(_ intent: ProviderIntent) async -> ProviderAnswer {
        guard let form = StripeIntentForm.make(intent) else { return .refused(reason: "not_supported") }
        let begun = ContinuousClock.now
        switch await find(intent) {
        case .found(let object): return answer(object, intent)
        case .failed(let reply): return ProviderAnswer(failed: reply)
        case .absent: break
        }
        guard StripeProvider.isFresh(begun) else { return .unavailable("reading the list took too long") }
        let reply = await client.post("/v1/payment_intents", form, idempotencyKey: intent.idempotencyKey)
        switch reply {
        case .object(let object): return answer(object, intent)
        case .cardRefused(let code, let id):
            await cancel(id, intent)
            return .refused(reason: code)
        case .refused(let code): return .refused(reason: code)
        case .notAllowed, .notSent: return ProviderAnswer(failed: reply)
        case .unclear(let why):
            guard case .found(let object) = await find(intent) else { return .unknown(why) }
            return answer(object, intent)
        }
    }

    /// Refused: Stripe's payouts go to our own bank account.
    func createPayout(_ intent: ProviderIntent) async -> ProviderAnswer { .refused(reason: "not_offered") }

    /// The events since an instant, of the last 30 days at most, as Stripe keeps no older ones.
    ///
    /// - Throws: `StripeLookupFailure`.
    func events(since: Timestamp) async throws -> [JSON] {
        var query = StripeForm()
        query.add(["created", "gte"], String(since.seconds))
        let events = try await StripeLists(client: client).all("/v1/events", query).get()
        let created = events.map { $0["created"]?.integerValue ?? 0 }
        // Stripe lists the newest first; a peer that doesn't is known by its times.
        let isOldestFirst = (created.first ?? 0) < (created.last ?? 0)
        let inOrder = isOldestFirst ? events : events.reversed()
        // Within a second the order of the list is all that there is; Swift's sort keeps it.
        return inOrder.sorted { ($0["created"]?.integerValue ?? 0) < ($1["created"]?.integerValue ?? 0) }
    }

    /// Whether what was read since an instant may still be acted upon.
    static func isFresh(_ begun: ContinuousClock.Instant) -> Bool { ContinuousClock.now - begun < readingAgeMax }

    /// The payment intent that an earlier attempt made.
    private func find(_ intent: ProviderIntent) async -> StripeLookup {
        let wire = intent.transaction.wire
        let notBefore = intent.transaction.mintedAt.adding(seconds: -StripeProvider.clockSkewSeconds)
        return await StripeLists(client: client).find("/v1/payment_intents", notBefore: notBefore) { object in
            object["metadata"]?[StripeMetadata.transaction]?.stringValue == wire
        }
    }

    /// What a payment intent means for ours.
    private func answer(_ object: JSON, _ intent: ProviderIntent) -> ProviderAnswer {
        guard let id = object["id"]?.stringValue, let status = object["status"]?.stringValue,
            let amount = object["amount"]?.integerValue, let currency = object["currency"]?.stringValue
        else { return .unknown("a payment intent without id, status or amount") }
        guard StripeAmount.money(amount, currency: currency) == intent.amount else {
            logger.error(
                "a payment intent has another amount than its transaction; an operator must look",
                metadata: ["transaction": "\(intent.transaction.wire)", "payment_intent": "\(id)"]
            )
            return .unknown("payment intent \(id) has another amount")
        }
        switch status {
        case "canceled": return .refused(reason: "canceled")
        case "requires_payment_method" where intent.token != nil:
            let error = object["last_payment_error"]
            let code = error?["decline_code"]?.stringValue ?? error?["code"]?.stringValue
            return .refused(reason: code ?? "card_declined")
        case "requires_payment_method", "requires_confirmation", "requires_action":
            let secret = object["client_secret"] ?? .null
            return .accepted(reference: id, action: ["type": "stripe_client_secret", "client_secret": secret])
        default: return .accepted(reference: id, action: nil)
        }
    }

    /// Ends an intent whose card was refused, so that nothing can ever come of it; without it the intent is harmless
    /// too, as nobody has its client secret.
    private func cancel(_ id: String?, _ intent: ProviderIntent) async {
        guard let id, StripeID.isOne(id) else { return }
        let key = intent.idempotencyKey + ".cancel"
        _ = await client.post("/v1/payment_intents/\(id)/cancel", StripeForm(), idempotencyKey: key)
    }
}

extension ProviderAnswer {
    /// What an attempt comes to that ended before anything could be asked for.
    init(failed reply: StripeReply) {
        switch reply {
        case .notAllowed: self = .unavailable("the API key is refused")
        case .notSent(let why): self = .unavailable(why)
        case .unclear(let why): self = .unknown(why)
        case .refused(let code), .cardRefused(let code, _): self = .unknown(code)
        case .object: self = .unknown("an unexpected answer")
        }
    }
}

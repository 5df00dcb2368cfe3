import Kernel

/// Somebody outside who moves money for us: takes cards, pays out to banks.
protocol PaymentProvider: Sendable {
    /// Its name in accounts, routes and metrics: `stripe`.
    var name: String { get }

    /// Asks for a customer's money; the customer then acts by `ProviderAnswer.accepted`'s action.
    func createDeposit(_ intent: ProviderIntent) async -> ProviderAnswer
    /// Asks to pay out to a customer's linked account.
    func createPayout(_ intent: ProviderIntent) async -> ProviderAnswer
    /// Asks to sell the customer crypto, which goes to the customer's own wallet.
    func createPurchase(_ intent: ProviderIntent) async -> ProviderAnswer
    /// Asks to buy crypto of the customer's, which comes from the customer's own wallet.
    func createSale(_ intent: ProviderIntent) async -> ProviderAnswer
    /// Asks to give a deposit back.
    func refund(_ intent: ProviderIntent, of reference: String) async -> ProviderAnswer
    /// Understands the body of a webhook, or of an event that was polled.
    func event(_ body: JSON) throws(ProviderEventError) -> ProviderEvent
    /// The bodies of all events since an instant, oldest first, as they would have come by webhook.
    func events(since: Timestamp) async throws -> [JSON]
}

/// What a provider is asked to do.
///
/// Repeating it with the same key does nothing twice.
struct ProviderIntent: Sendable, Hashable {
    /// The transaction that it is for; providers carry its wire form in their metadata.
    let transaction: ID<BankTransaction>
    /// How much.
    let amount: Money
    /// The key, derived from transaction and step, stored before the first call.
    let idempotencyKey: String
    /// The token of the linked account, if there is one.
    let token: String?
    /// The customer's own wallet of a purchase or sale, by CAIP-10.
    var wallet: String?
}

extension PaymentProvider {
    /// Refused: it doesn't sell.
    func createPurchase(_ intent: ProviderIntent) async -> ProviderAnswer { .refused(reason: "not_offered") }
    /// Refused: it doesn't buy.
    func createSale(_ intent: ProviderIntent) async -> ProviderAnswer { .refused(reason: "not_offered") }
}

/// What a provider made of a call.
enum ProviderAnswer: Sendable, Hashable {
    /// It took it on under this reference; `action` is what the customer must do, if anything.
    case accepted(reference: String, action: JSON?)
    /// It won't do it, for good, for this reason.
    case refused(reason: String)
    /// It may or may not have taken it on: to be asked again with the same key.
    case unknown(String)
    /// It surely didn't get it: to be asked again.
    case unavailable(String)
}

/// Why a body is no event of a provider.
enum ProviderEventError: Error, Hashable {
    /// A member is missing or of the wrong type.
    case malformed(String)
    /// An event that is none of ours: a live event in the sandbox or the other way round.
    case wrongMode
}

/// Something that happened at a provider, in our words.
struct ProviderEvent: Sendable, Hashable {
    /// What became of the object.
    enum State: String, Sendable, CaseIterable {
        /// Somebody must act: the customer's bank, a network.
        case confirming
        /// The provider works on it.
        case processing
        /// Done; for good, but for disputes.
        case succeeded
        /// It won't happen.
        case failed
        /// A deposit was given back, whole or in part.
        case refunded
        /// A bank sent a payout back after it had succeeded.
        case returned
        /// A deposit was taken back by the customer's bank.
        case disputed
        /// Nothing that moves money or status.
        case other

        /// A later state never gives way to one of lower rank, however old or new the event is.
        var rank: Int64 {
            switch self {
            case .other: 0
            case .confirming, .processing: 1
            case .failed: 2
            case .succeeded: 3
            case .refunded, .returned: 4
            case .disputed: 5
            }
        }
    }

    /// The provider's id of the event.
    let id: String
    /// The provider's name for it.
    let type: String
    /// The provider's id of the object that it is about.
    let objectID: String
    /// What became of the object.
    let state: State
    /// When the provider says that it happened.
    let occurredAt: Timestamp
    /// The transaction that the object names as ours.
    let transaction: ID<BankTransaction>?
    /// How much the provider says it is; held against the transaction.
    ///
    /// Of `refunded`: all that was given back so far, or this part of it where the part has an id.
    let amount: Money?
    /// What the provider really charged, once it says so.
    let actualFee: Money?
    /// Why it failed.
    let reason: String?
    /// The provider's id of the refund or dispute, where there can be several.
    var part: String?
    /// The provider's own id of what was paid, where it knows the payment by an id of ours.
    var purchase: String?
    /// The transaction on chain that brought it to or from the customer's own wallet.
    var chainHash: String?
}

extension ProviderEvent {
    /// The event as it is kept beside the provider's own words.
    var json: JSON {
        [
            "object": .string(objectID), "state": .string(state.rawValue),
            "occurred_at": .string(occurredAt.description),
            "amount": amount.map { .string($0.description) } ?? .null,
            "actual_fee": actualFee.map { .string($0.description) } ?? .null,
            "reason": reason.map { .string($0) } ?? .null,
        ]
    }
}

import PostgreSQL

/// What the simulated provider does with an intent, chosen by the token of the linked account; any other token is
/// `tok_ok`.
enum SandboxBehaviour: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
    /// It works, within a second.
    case ok = "tok_ok"
    /// It is refused at once.
    case declined = "tok_declined"
    /// It is taken on and fails within a second.
    case failed = "tok_failed"
    /// It works, after half a minute.
    case slow = "tok_slow"
    /// It works after 45 minutes, when a reservation has long expired.
    case late = "tok_late"
    /// It works, and each event is sent several times.
    case duplicate = "tok_duplicate"
    /// It works, and the events are sent last first.
    case outOfOrder = "tok_out_of_order"
    /// It works, and nobody is told: only who asks learns it.
    case never = "tok_never"
    /// It works, but the first answer gets lost.
    case unknown = "tok_unknown"
    /// It works, and the customer's bank takes it back two seconds later.
    case disputed = "tok_disputed"
    /// It works; of a deposit 30 % are given back a second later, and another 20 % a second after that.
    case partlyRefunded = "tok_partly_refunded"
    /// It works, and two seconds later the bank sends the payout back.
    case returned = "tok_returned"

    init(token: String?) { self = token.flatMap(SandboxBehaviour.init(rawValue:)) ?? .ok }
}

/// Something that happens to an object, and when it is told.
struct SandboxStep: Sendable, Hashable {
    let state: ProviderEvent.State
    /// Milliseconds from the object's making.
    let happensAfter: Int
    /// Milliseconds from the object's making at which it is sent; empty when nobody is told.
    let sentAfter: [Int]
    let reason: String?
    /// How much of the object's amount it is about so far.
    let percent: Int128

    private init(
        _ state: ProviderEvent.State,
        _ happensAfter: Int,
        sent: [Int]? = nil,
        reason: String? = nil,
        percent: Int128 = 100
    ) {
        (self.state, self.happensAfter, self.reason, self.percent) = (state, happensAfter, reason, percent)
        sentAfter = sent ?? [happensAfter]
    }

    private static let working = SandboxStep(.processing, 100)
    private static let endMilliseconds = 500

    /// What happens to an object of a kind that was taken on.
    static func steps(_ kind: SandboxObject.Kind, _ behaviour: SandboxBehaviour) -> [SandboxStep] {
        let end: ProviderEvent.State = kind == .refund ? .refunded : .succeeded
        switch behaviour {
        case .ok, .unknown, .declined: return [working, SandboxStep(end, endMilliseconds)]
        case .failed:
            let reason = kind == .payout ? "account_closed" : "insufficient_funds"
            return [working, SandboxStep(.failed, endMilliseconds, reason: reason)]
        case .slow: return [working, SandboxStep(.confirming, 1_000), SandboxStep(end, 30_000)]
        case .late: return [working, SandboxStep(end, 45 * 60_000)]
        case .duplicate:
            return [
                SandboxStep(.processing, 100, sent: [100, 150]),
                SandboxStep(end, endMilliseconds, sent: [500, 510, 1_000, 3_000]),
            ]
        case .outOfOrder:
            return [SandboxStep(.processing, 100, sent: [1_500]), SandboxStep(end, endMilliseconds)]
        case .never:
            return [SandboxStep(.processing, 100, sent: []), SandboxStep(end, endMilliseconds, sent: [])]
        case .disputed:
            let dispute = SandboxStep(.disputed, 2_500, reason: "fraudulent")
            return [working, SandboxStep(end, endMilliseconds)] + (kind == .deposit ? [dispute] : [])
        case .partlyRefunded:
            let parts = [
                SandboxStep(.refunded, 1_500, percent: 30), SandboxStep(.refunded, 2_500, percent: 50),
            ]
            return [working, SandboxStep(end, endMilliseconds)] + (kind == .deposit ? parts : [])
        case .returned:
            let back = SandboxStep(.returned, 2_500, reason: "account_closed")
            return [working, SandboxStep(end, endMilliseconds)] + (kind == .payout ? [back] : [])
        }
    }
}

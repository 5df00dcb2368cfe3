import PostgreSQL

/// Where a transaction is in its life.
enum TransactionStatus: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
    /// The customer asked for it.
    case initiated
    /// Identity, compliance, fees and limits are being looked at.
    case validating
    /// The money is held.
    case balanceReserved = "balance_reserved"
    /// It waits until a person has looked at it; what leaves an account is held meanwhile.
    case inReview = "in_review"
    /// A provider is to act.
    case sentToProvider = "sent_to_provider"
    /// The provider has it.
    case providerProcessing = "provider_processing"
    /// The provider waits for somebody: the customer's bank, a network.
    case confirming
    /// The money left this domain and hasn't arrived in the other one.
    case inTransit = "in_transit"
    /// Done; the money is where it was to go.
    case completed
    /// Over; nothing moved, or all of it is back.
    case failed
    /// It failed after money had moved: that is being brought back.
    case compensating
    /// The money is back with whom it came from.
    case refunded
    /// The other domain refused it; the money is back.
    case returned

    /// The statuses that can follow.
    var successors: [TransactionStatus] {
        switch self {
        case .initiated: [.validating]
        case .validating: [.balanceReserved, .inReview, .sentToProvider, .inTransit, .completed, .failed]
        case .balanceReserved: [.inReview, .sentToProvider, .failed]
        case .inReview: [.sentToProvider, .inTransit, .completed, .failed]
        case .sentToProvider: [.providerProcessing, .confirming, .completed, .failed, .compensating]
        case .providerProcessing: [.confirming, .completed, .failed, .compensating]
        case .confirming: [.providerProcessing, .completed, .failed, .compensating]
        case .inTransit: [.completed, .returned]
        case .completed: [.compensating]
        case .compensating: [.refunded, .failed]
        // A provider's success counts whenever it comes: a card that was declined may be accepted a minute later.
        case .failed: [.completed]
        case .refunded, .returned: []
        }
    }

    /// Whether nothing is under way.
    var isFinal: Bool {
        switch self {
        case .completed, .failed, .refunded, .returned: true
        default: false
        }
    }
}

/// A change of status that the life of a transaction doesn't have.
struct IllegalTransition: Error, Hashable {
    let from: TransactionStatus
    let to: TransactionStatus
}

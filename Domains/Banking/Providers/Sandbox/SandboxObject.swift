import Kernel
import PostgreSQL

/// Something that the simulated provider was asked to do.
struct SandboxObject: Sendable, Entity {
    static let idPrefix = "sbo"

    enum Kind: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        case deposit, payout, refund, purchase, sale
    }

    let id: ID<SandboxObject>
    let kind: Kind
    let transaction: ID<BankTransaction>
    /// The deposit that a refund gives back.
    let refundOf: ID<SandboxObject>?
    let amount: Money
    let behaviour: SandboxBehaviour
    let createdAt: Timestamp

    /// The object by which we know it: a refund is something that happens to its deposit.
    var reference: ID<SandboxObject> { refundOf ?? id }
}

/// An event of the simulated provider.
struct SandboxEvent: Sendable, Entity {
    static let idPrefix = "sbe"
}

/// One time that an event is sent.
struct SandboxDelivery: Sendable, Entity {
    static let idPrefix = "sbd"
}

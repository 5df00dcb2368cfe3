import Compliance
import Fees
import HTTP
import Identity
import Kernel
import PostgreSQL

/// A movement of money that may go on: looked at by identity, compliance, fees and limits, and not yet by the ledger.
struct Movement: Sendable {
    let transaction: ID<BankTransaction>
    let user: ID<User>
    let kind: BankTransaction.Kind
    let amount: Money
    let quote: FeeQuote
    let limit: Limit
    let compliance: ComplianceAnswer

    /// Whether a person must look at it before it goes on.
    ///
    /// Money that comes in goes on: it is looked at again, and held, when it is there.
    var isHeld: Bool { compliance.outcome == .review && kind.waits }

    /// The fee lines that are charged.
    var chargedLines: [FeeLine] { quote.lines.filter { $0.amount.minorUnits > 0 } }
}

/// A request for a movement, its wire values read.
struct MovementRequest: Sendable {
    let user: ID<User>
    let kind: BankTransaction.Kind
    let amount: Money
    /// What fees are charged for: `banking.payment`.
    let feeOperation: String
    var provider: String?

    /// Reads `amount` and `asset` of a body.
    ///
    /// - Throws: 400 with the fault of the amount; 422 for an asset that Banking doesn't hold.
    static func amount(in body: JSON) throws(Problem) -> Money {
        guard let asset = body["asset"]?.stringValue.flatMap({ Asset(code: $0) }) else {
            throw Problem.malformed("unknown_asset", in: "/asset")
        }
        return try Money(positive: body["amount"]?.stringValue ?? "", asset, at: "/amount")
    }
}

/// Looks at movements before the ledger does.
struct MovementChecks: Sendable {
    let users: UserDirectory
    let compliance: ComplianceGate
    let fees: FeeCatalogCache
    let limits: Limits
    let ids: IDGenerator
    let clock: any WallClock

    /// What is promised for a movement.
    ///
    /// - Throws: a `Problem`: 403 for a user who may not move money, 422 for fees and compliance, 503 where compliance
    ///   can't be asked.
    func check(_ request: MovementRequest) async throws -> Movement {
        guard let profile = try await users.profile(request.user), profile.isActive else {
            throw Problem(403, "user_not_active", "This user may not move money. Contact support.")
        }
        let limit = try await limits.limit(request.kind, request.amount.asset)
        let context = FeeContext(
            amount: request.amount,
            tier: FeeTier(rawValue: profile.feeTier) ?? .tier1,
            provider: request.provider
        )
        let quote = try await fees.current().quote(request.feeOperation, context, id: ids.next(), at: clock.now())
        let transaction: ID<BankTransaction> = ids.next()
        let answer = try await compliance.check(
            MoneyMovement(
                subject: transaction.value,
                user: request.user,
                kind: request.kind.complianceKind,
                amount: request.amount,
                identification: profile.identification,
                mayWait: request.kind.waits
            )
        )
        if let refusal = answer.refusal, answer.outcome != .review { throw refusal }
        return Movement(
            transaction: transaction,
            user: request.user,
            kind: request.kind,
            amount: request.amount,
            quote: quote,
            limit: limit,
            compliance: answer
        )
    }
}

extension MovementChecks {
    /// Asks again about a transaction that waits for a person.
    ///
    /// - Throws: what the stores throw; it waits on then.
    func standing(of transaction: BankTransaction) async throws -> MovementStanding {
        guard let profile = try await users.profile(transaction.user), profile.isActive else {
            return compliance.waiting(since: transaction.createdAt)
        }
        return try await compliance.standing(
            of: transaction.movement(profile.identification),
            since: transaction.createdAt
        )
    }

    /// Has compliance look at a deposit whose money is there.
    ///
    /// - Throws: `Unlooked` where compliance can't be asked, and what the stores throw: the deposit is tried again.
    func arrived(_ deposit: BankTransaction) async throws {
        guard let profile = try await users.profile(deposit.user) else { throw Unlooked(deposit: deposit.id) }
        let answer = try await compliance.arrived(deposit.movement(profile.identification))
        if answer.isUnread { throw Unlooked(deposit: deposit.id) }
    }

    /// A deposit that compliance couldn't be asked about.
    struct Unlooked: Error, Sendable {
        let deposit: ID<BankTransaction>
    }
}

extension BankTransaction {
    /// The movement that it is to compliance.
    func movement(_ identification: MoneyMovement.Identification) -> MoneyMovement {
        MoneyMovement(
            subject: id.value,
            user: user,
            kind: kind.complianceKind,
            amount: amount,
            identification: identification,
            mayWait: kind.waits
        )
    }
}

extension BankTransaction.Kind {
    /// Whether it waits, `in_review`, while a person looks at it; what comes in is looked at once the money is there.
    var waits: Bool { self != .deposit }

    /// The kind of movement as compliance knows it.
    var complianceKind: MoneyMovement.Kind {
        switch self {
        case .deposit, .purchase: .deposit
        case .withdrawal, .sale: .withdrawal
        case .payment: .payment
        case .transfer: .transfer
        }
    }
}

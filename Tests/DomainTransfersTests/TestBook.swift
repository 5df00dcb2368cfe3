import Compliance
import DomainKit
import DomainTransfers
import Fees
import Kernel
import Ledger
import PostgreSQL
import Synchronization

/// What a domain subscribes to, as it tells the program.
enum DomainTransfersSubscriptions {
    static func types(of origin: Schema, for domain: Schema) -> Set<String> {
        DomainTransfers.subscriptions(from: World.schemas.filter { $0 != domain })[origin] ?? []
    }
}

/// A book that approves everything, at a flat fee, and can hold what leaves, refuse what arrives or break a step's
/// transaction.
final class TestBook: TransferBook {
    private struct State {
        var refusal: String?
        var broken: Set<String> = []
        var holds = false
        var standing = MovementStanding.waits
        var meanwhile: (step: String, happens: @Sendable () async throws -> Void)?
    }

    private let schema: Schema
    private let ids: IDGenerator
    private let fee: Int128
    private let state = Mutex(State())

    init(schema: Schema, ids: IDGenerator, fee: Int128 = 0) {
        (self.schema, self.ids, self.fee) = (schema, ids, fee)
    }

    /// From now on arrivals are refused for that reason.
    func refuse(_ reason: String?) { state.withLock { $0.refusal = reason } }

    /// From now on what leaves is held, or isn't.
    func hold(_ holds: Bool = true) { state.withLock { $0.holds = holds } }

    /// From now on what is held stands like that.
    func decide(_ standing: MovementStanding) { state.withLock { $0.standing = standing } }

    func standing(of transfer: DomainTransfer) async throws -> MovementStanding { state.withLock { $0.standing } }

    /// Something happens while the next step of that name is prepared.
    func during(_ step: String, _ happens: @escaping @Sendable () async throws -> Void) {
        state.withLock { $0.meanwhile = (step, happens) }
    }

    /// The next step of that name fails inside its transaction: `leaving`, `held`, `released`.
    func breakNext(_ step: String) { state.withLock { _ = $0.broken.insert(step) } }

    func approve(_ order: TransferOrder) async throws -> TransferApproval {
        let total = Money(minorUnits: fee, order.amount.asset)
        let line = FeeLine(
            sequence: 0,
            category: .platform,
            rule: "test",
            text: "Test",
            schedule: ID(1),
            version: 1,
            base: order.amount,
            rate: "flat",
            raw: total.wire,
            amount: total,
            kind: .actual,
            bound: nil,
            allowanceTaken: nil,
            isRefundable: true
        )
        let quote = FeeQuote(
            id: ids.next(),
            schedule: ID(1),
            version: 1,
            operation: "test.transfer",
            context: FeeContext(amount: order.amount),
            lines: fee > 0 ? [line] : [],
            total: total,
            quotedAt: Timestamp(seconds: 0),
            expiresAt: Timestamp(seconds: 1)
        )
        let id: ID<DomainTransfer> = ids.next()
        let movement = MoneyMovement(
            subject: id.value,
            user: order.user,
            kind: .transfer,
            amount: order.amount,
            identification: .approved
        )
        let answer = state.withLock { $0.holds } ? TestBook.review : ComplianceRules().check(movement)
        return TransferApproval(id: id, order: order, quote: quote, compliance: answer)
    }

    /// What a person must look at.
    static let review = ComplianceAnswer(checks: [
        .init(kind: .aml, outcome: .review, score: 50, flags: ["test"], rule: "test.v1")
    ])
    /// What may not go on.
    static let block = ComplianceAnswer(checks: [
        .init(kind: .aml, outcome: .block, score: 100, flags: ["test"], rule: "test.v1")
    ])

    func refusal(of arrival: TransferOrder) async throws -> String? { state.withLock { $0.refusal } }

    func record(
        _ step: TransferStep,
        of account: ID<LedgerAccount>,
        by initiator: Initiator
    ) async throws -> TransferBooking {
        let name = step.name
        let meanwhile = state.withLock { state in
            defer { if state.meanwhile?.step == name { state.meanwhile = nil } }
            return state.meanwhile?.step == name ? state.meanwhile?.happens : nil
        }
        try await meanwhile?()
        let isBroken = state.withLock { $0.broken.remove(name) != nil }
        return TransferBooking { _, _ in isBroken ? [PoisonRow()] : [] }
    }
}

/// A row that ends the transaction which would store it.
struct PoisonRow: StoredRow {
    static var mustTouchEachRow: Bool { false }
    static func store(_ rows: [PoisonRow], in schema: Schema, at: Timestamp) -> [SQL] { ["select 1 / 0"] }
}

extension TransferStep {
    var name: String {
        switch self {
        case .leaving: "leaving"
        case .held: "held"
        case .released: "released"
        case .stopped: "stopped"
        case .arriving: "arriving"
        case .confirmed: "confirmed"
        case .returning: "returning"
        }
    }
}

import Compliance
import DomainKit
import Fees
import Kernel
import Ledger
import Logging
import PostgreSQL
import ServiceLifecycle

/// Goes on with payments, withdrawals, purchases and sales that waited for a person, once compliance has made up its
/// mind.
///
/// A release lets them go on, anything else ends them and frees their money.
///
/// Any number of processes do so at once: what another has changed meanwhile is left as it is.
struct HeldMovements: Service {
    /// Seconds between two rounds.
    static let pollSeconds = 5
    /// Movements of one read.
    static let pageMax = 100
    /// Movements of one round.
    static let roundMax = 10_000

    let transactions: Transactions
    let fees: TransactionFees
    let accounts: LedgerAccounts
    let checks: MovementChecks
    let settlement: Settlement
    let ids: IDGenerator
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await round()
                } catch {
                    logger.warning("what waits for a person could not be looked at", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(HeldMovements.pollSeconds))
            }
        }
    }

    /// Looks at all that waits; how many didn't wait any more.
    @discardableResult
    func round() async throws -> Int {
        var (after, looked, moved): (UInt128, Int, Int) = (0, 0, 0)
        while looked < HeldMovements.roundMax {
            let held = try await transactions.inReview(after: after, limit: HeldMovements.pageMax)
            for transaction in held where await tried(transaction) { moved += 1 }
            guard held.count == HeldMovements.pageMax, let last = held.last else { return moved }
            (after, looked) = (last.id.value, looked + held.count)
        }
        return moved
    }

    /// One that can't be looked at keeps no other one waiting.
    private func tried(_ transaction: BankTransaction) async -> Bool {
        do { return try await goOn(transaction) } catch {
            logger.warning(
                "what waits for a person could not be looked at",
                metadata: ["transaction": "\(transaction.id.wire)", "error": "\(error)"]
            )
            return false
        }
    }

    private func goOn(_ transaction: BankTransaction) async throws -> Bool {
        let outcome: Settlement.Outcome
        switch try await checks.standing(of: transaction) {
        case .waits: return false
        case .goesOn(let answer):
            guard try await !isFrozen(transaction) else { return false }
            outcome = try await release(transaction, ["compliance": answer.json])
        case .refused(let answer): outcome = try await end(transaction, because: answer.endsBecause)
        }
        if case .settled = outcome { return true }
        logger.notice(
            "what waited for a person stays as it is",
            metadata: ["transaction": "\(transaction.id.wire)", "outcome": "\(outcome)"]
        )
        return false
    }

    private func release(_ transaction: BankTransaction, _ metadata: JSON) async throws -> Settlement.Outcome {
        let outcome =
            transaction.kind == .payment
            ? try await pay(transaction, metadata) : try await send(transaction, metadata)
        switch outcome {
        // The payee's account may have been closed meanwhile, and what was held been freed.
        case .refused(.accountClosed): return try await end(transaction, because: Payments.payeeClosed.code)
        case .refused(let refusal) where refusal.saysThatReservationEnded:
            return try await end(transaction, because: Settlement.reservationEnded)
        default: return outcome
        }
    }

    /// Whether an operator stops what leaves the customer's account: what was reserved before waits, too.
    ///
    /// A freeze that comes after this look is found by the ledger.
    private func isFrozen(_ transaction: BankTransaction) async throws -> Bool {
        try await accounts.balances(of: transaction.user.value).contains {
            $0.kind == transaction.account && $0.total.asset == transaction.amount.asset && $0.frozenBecause != nil
        }
    }

    private func send(_ transaction: BankTransaction, _ metadata: JSON) async throws -> Settlement.Outcome {
        guard let provider = transaction.provider else { return .impossible("nobody to send it to") }
        var sent = transaction
        try sent.advance(to: .sentToProvider, metadata: metadata)
        let step: ProviderCall.Step =
            switch transaction.kind {
            case .purchase: .createPurchase
            case .sale: .createSale
            default: .createPayout
            }
        let call = NewProviderCallRow(
            id: ids.next(),
            transaction: transaction.id,
            provider: provider,
            step: step
        )
        let held = try await settlement.heldOn(transaction, unlessFrozen: true)
        return try await settlement.store(sent, commands: held, by: initiator(transaction), with: [call])
    }

    private func pay(_ payment: BankTransaction, _ metadata: JSON) async throws -> Settlement.Outcome {
        guard let reservation = payment.reservation, let payee = payment.counterparty else {
            return .impossible("a payment without a reservation or payee")
        }
        let asset = payment.amount.asset
        let lines = try await fees.lines(of: payment.id, stage: .promised).filter { $0.amount.minorUnits > 0 }
        let (from, to) = (AccountKey(payment.user, payment.account, asset), AccountKey(payee, "checking", asset))
        let house = lines.map { HouseAccounts.fee($0.category, provider: nil, asset) }
        let found = try await MovementAccounts(customers: [from, to], house: house, accounts)
        let moves =
            [(payment.amount, to, "payment")]
            + zip(lines, house).map { ($0.amount, $1, "fee_\($0.category.rawValue)") }
        let commands = try moves.map { amount, key, code in
            LedgerCommand.transfer(
                NewTransfer(
                    id: ids.next(),
                    debit: try found[from],
                    credit: try found[key],
                    amount: amount.minorUnits,
                    code: code,
                    funding: .reservation(reservation, unlessFrozen: true)
                )
            )
        }
        var paid = payment
        try paid.advance(to: .completed, metadata: metadata)
        return try await settlement.store(paid, commands: commands, by: initiator(payment), with: [])
    }

    private func end(_ transaction: BankTransaction, because reason: String) async throws -> Settlement.Outcome {
        try await settlement.end(transaction, reason: reason, by: initiator(transaction), with: [])
    }

    private func initiator(_ transaction: BankTransaction) -> Initiator {
        Initiator(system: "compliance", correlation: transaction.id.value)
    }
}

import Compliance
import DomainKit
import Fees
import Kernel
import Ledger
import Logging
import PostgreSQL
import ServiceLifecycle

/// Goes on with transfers that waited for a person, once compliance has made up its mind.
///
/// A release lets the money leave out of what was reserved, anything else ends the transfer and frees it.
///
/// Any number of processes do so at once: what another has changed meanwhile is left as it is.
struct HeldTransfers: Service {
    /// Seconds between two rounds.
    static let pollSeconds = 5
    /// Transfers of one read.
    static let pageMax = 100
    /// Transfers of one round.
    static let roundMax = 10_000

    let schema: String
    let ledger: Ledger
    let accounts: TransferAccounts
    let transfers: Transfers
    let book: any TransferBook
    let journal: TransferJournal
    /// Whether the ledger's operations may be committed from this process now.
    let mayWrite: @Sendable () -> Bool
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await round()
                } catch {
                    logger.warning("transfers that wait could not be looked at", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(HeldTransfers.pollSeconds))
            }
        }
    }

    /// Looks at all that waits; how many don't wait any more.
    @discardableResult
    func round() async throws -> Int {
        guard mayWrite() else { return 0 }
        var (after, looked, moved): (UInt128, Int, Int) = (0, 0, 0)
        while looked < HeldTransfers.roundMax {
            let held = try await transfers.inReview(after: after, limit: HeldTransfers.pageMax)
            for transfer in held where await tried(transfer) { moved += 1 }
            guard held.count == HeldTransfers.pageMax, let last = held.last else { return moved }
            (after, looked) = (last.id.value, looked + held.count)
        }
        return moved
    }

    /// One that can't be looked at keeps no other one waiting.
    private func tried(_ transfer: DomainTransfer) async -> Bool {
        do {
            switch try await book.standing(of: transfer) {
            case .waits: return false
            case .goesOn(let answer): return try await release(transfer, answer)
            case .refused(let answer): return try await stop(transfer, because: answer.endsBecause)
            }
        } catch let error as PostgresError where error.isStale {
            return false
        } catch {
            logger.warning(
                "a transfer that waits could not be looked at",
                metadata: ["transfer": "\(transfer.id.wire)", "error": "\(error)"]
            )
            return false
        }
    }

    private func release(_ transfer: DomainTransfer, _ answer: ComplianceAnswer) async throws -> Bool {
        // What was reserved before an operator stops the account waits, too.
        guard try await !isFrozen(transfer) else { return false }
        guard let reservation = transfer.reservation, let quote = try await transfers.quote(of: reservation),
            let inTransit = try await accounts.inTransit(transfer.other, transfer.amount.asset)
        else { throw Unheld(transfer: transfer.id) }
        let customer = try await accounts.customer(transfer.user, transfer.amount.asset)
        // A freeze that comes after this look is found by the ledger.
        let funding = NewTransfer.Funding.reservation(reservation, unlessFrozen: true)
        let moved = LedgerCommand.transfer(
            NewTransfer(
                id: journal.ids.next(),
                debit: customer,
                credit: inTransit,
                amount: transfer.amount.minorUnits,
                code: "transfer_out",
                funding: funding
            )
        )
        let charged = quote.chargedLines
        let fees = try await accounts.feeTransfers(charged, from: customer, funding, journal.ids)
        let by = initiator(transfer)
        let record = try await book.record(.released(transfer, answer), of: customer, by: by)
        let told = TransferMessage(
            kind: .sent,
            transfer: transfer.id,
            user: transfer.user,
            amount: transfer.amount,
            from: schema,
            to: transfer.other
        )
        switch try await store(transfer, .inTransit, [moved] + fees, record, telling: told) {
        case .done: return true
        // An operator has freed what was held.
        case .refused(let refusal, _) where refusal.saysThatReservationEnded:
            return try await stop(transfer, because: "reservation_ended")
        case let outcome: return note(transfer, outcome)
        }
    }

    private func stop(_ transfer: DomainTransfer, because reason: String) async throws -> Bool {
        guard let reservation = transfer.reservation else { throw Unheld(transfer: transfer.id) }
        let customer = try await accounts.customer(transfer.user, transfer.amount.asset)
        let step = TransferStep.stopped(transfer, reason: reason)
        let record = try await book.record(step, of: customer, by: initiator(transfer))
        let freed = LedgerCommand.release(reservation, of: customer, reason: reason)
        switch try await store(transfer, .failed(reason: reason), [freed], record, telling: nil) {
        case .done: return true
        case .refused(let refusal, _) where refusal.saysThatReservationEnded:
            let outcome = try await store(transfer, .failed(reason: reason), [], record, telling: nil)
            if case .done = outcome { return true }
            return note(transfer, outcome)
        case let outcome: return note(transfer, outcome)
        }
    }

    private func store(
        _ transfer: DomainTransfer,
        _ state: DomainTransfer.State,
        _ commands: [LedgerCommand],
        _ record: TransferBooking,
        telling message: TransferMessage?
    ) async throws -> LedgerOutcome {
        let by = initiator(transfer)
        let item = LedgerItem(
            operation: transfer.id.cast(),
            commands: commands + record.commands
        ) { [journal] decision, instant in
            guard case .success(let receipt) = decision,
                let next = transfer.advanced(to: state, ledgerTransfers: receipt.transfers.map(\.id), at: instant)
            else { return LedgerItem.Finish() }
            let rows = journal.rows(changed: next, before: transfer, telling: message, by: by)
            return LedgerItem.Finish(rows: rows + record.rows(next, receipt))
        }
        return try await ledger.submit(item)
    }

    private func isFrozen(_ transfer: DomainTransfer) async throws -> Bool {
        try await accounts.accounts.balances(of: transfer.user.value).contains {
            $0.kind == accounts.kind && $0.total.asset == transfer.amount.asset && $0.frozenBecause != nil
        }
    }

    private func note(_ transfer: DomainTransfer, _ outcome: LedgerOutcome) -> Bool {
        logger.notice(
            "a transfer that waited stays as it is",
            metadata: ["transfer": "\(transfer.id.wire)", "outcome": "\(outcome)"]
        )
        return false
    }

    private func initiator(_ transfer: DomainTransfer) -> Initiator {
        Initiator(system: "compliance", correlation: transfer.id.value)
    }

    /// A transfer that waits without anything that holds its money.
    private struct Unheld: Error {
        let transfer: ID<DomainTransfer>
    }
}

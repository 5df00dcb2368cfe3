import DomainKit
import Kernel
import Ledger
import Logging
import PostgreSQL

/// Ends deposits, purchases and sales that the customer was to begin on a provider's page and never did.
///
/// One that is begun all the same afterwards is settled whenever its provider tells of it.
struct UnbegunOrders: Sendable {
    /// How long an order waits for its customer.
    static let lifetimeDays: Int64 = 7
    /// Orders that are ended at once.
    static let setMax = 200

    let transactions: Transactions
    let settlement: Settlement
    let clock: any WallClock
    let logger: Logger

    /// The chore that does so.
    var chore: Chore {
        Chore(name: "unbegun_orders", schema: transactions.schema.name, setMax: UnbegunOrders.setMax) {
            try await endDue()
        }
    }

    /// Ends what is due, at most `setMax`; how many.
    func endDue() async throws -> Int {
        let before = clock.now().adding(seconds: -UnbegunOrders.lifetimeDays * 86_400)
        var ended = 0
        for order in try await transactions.unbegun(before: before, limit: UnbegunOrders.setMax) {
            let by = Initiator(system: "system:unbegun_orders", correlation: order.id.value)
            do {
                let outcome = try await settlement.end(order, reason: "not_begun", by: by, with: [])
                if outcome == .settled { ended += 1 }
            } catch {
                logger.warning(
                    "an order that was never begun could not be ended",
                    metadata: ["transaction": "\(order.id.wire)", "error": "\(error)"]
                )
            }
        }
        return ended
    }
}

extension Transactions {
    /// Orders at providers with pages of their own that nothing has happened to since an instant, and that the
    /// providers have told nothing of; those first that wait for the longest time.
    fileprivate func unbegun(before instant: Timestamp, limit: Int) async throws -> [BankTransaction] {
        try await pool.query(
            """
            select \(BankTransaction.columns) from \(schema).transactions t
            where status = 'provider_processing' and updated_at < \(instant) and provider in ('moonpay', 'ramp')
                and kind in ('deposit', 'purchase', 'sale')
                and not exists (
                    select from \(schema).inbox i
                    where i.source in ('moonpay', 'ramp') and i.source = t.provider
                        and i.object_id = t.provider_reference)
            order by updated_at limit \(limit)
            """
        ).map(BankTransaction.init)
    }
}

import Audit
import Kernel
import Measuring
import PostgreSQL

extension Bench {
    /// Entries of one batch: what a busy ledger commits at once.
    private static let entriesPerBatch = 100
    /// Entries that are appended for each second of a round, before they are verified.
    private static let entriesPerSecond = 40_000

    /// The audit log's chain: appending to it, and proving it.
    var auditRows: [Measurement] { [appendRow, verifyRow] }

    private var appendRow: Measurement {
        let ours = Contestant("audit entries in a chain, batches of \(Bench.entriesPerBatch)", clients: 1) { seconds in
            try await repeating(seconds) { try await append(Bench.entriesPerBatch) }
        }
        let plain = Contestant("the same rows without a chain", clients: 1) { seconds in
            try await repeating(seconds) { try await insertPlain(Bench.entriesPerBatch) }
        }
        return contest(ours, against: plain)
    }

    private var verifyRow: Measurement {
        { [self] in
            for _ in 0..<(pacing.roundSeconds * Bench.entriesPerSecond / 2_000) { try await append(2_000) }
            let verifier = AuditVerifier(pool: pool, schema: .banking)
            let ours = Contestant("rows of the audit chain verified", clients: 1) { _ in
                let start = ContinuousClock.now
                let report = try await verifier.verify()
                guard report.isIntact else { throw Broken(faults: report.faults.count) }
                return Round(operations: report.rows, seconds: (ContinuousClock.now - start).inSeconds)
            }
            let read = Contestant("PostgreSQL digests the same rows as texts", clients: 1) { _ in
                let start = ContinuousClock.now
                let rows = try await pool.query(
                    "select count(sha256(convert_to(l::text, 'UTF8'))) from banking.audit_log_all l"
                )
                return Round(operations: try rows[0][0], seconds: (ContinuousClock.now - start).inSeconds)
            }
            return [try await Contest(ours, against: read).run(pacing)]
        }
    }

    /// The chain isn't what was appended.
    private struct Broken: Error { let faults: Int }

    private func repeating(_ seconds: Int, _ body: () async throws -> Int) async throws -> Round {
        let start = ContinuousClock.now
        var done = 0
        while (ContinuousClock.now - start).inSeconds < Double(seconds) { done += try await body() }
        return Round(operations: done, seconds: (ContinuousClock.now - start).inSeconds)
    }

    @discardableResult
    private func append(_ count: Int) async throws -> Int {
        let entries = entries(count)
        try await pool.transact { transaction in
            let at: Timestamp = try await transaction.query("select clock_timestamp()")[0][0]
            return Closing((), last: entries.map { $0 as any StoredRow }.statements(in: .banking, at: at))
        }
        return count
    }

    private func insertPlain(_ count: Int) async throws -> Int {
        let entries = entries(count)
        try await pool.transact { _ in
            Closing(
                (),
                last: [
                    """
                    insert into banking.status_history
                        (id, entity, entity_id, version, to_status, metadata, recorded_at)
                    select e.id, 'transaction', e.entity_id, 1, 'completed', e.after, clock_timestamp()
                    from unnest(\(entries.map(\.id)), \(entries.map(\.entityID)), \(entries.map(\.after)))
                        as e (id, entity_id, after)
                    """
                ]
            )
        }
        return count
    }

    private func entries(_ count: Int) -> [AuditEntry] {
        (0..<count).map { number in
            AuditEntry(
                id: load.ids.next(),
                actor: "usr_01m7xr0w9rfb286s30ts1kx6zz",
                action: "payment.created",
                entity: "transaction",
                entityID: UInt128(number),
                after: ["status": "completed", "amount": "12.30", "asset": "USD", "fee": "0.10"],
                ip: "192.0.2.7",
                userAgent: "app/4.2",
                session: 5,
                correlation: UInt128(number)
            )
        }
    }
}

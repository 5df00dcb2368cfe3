import Kernel
import PostgreSQL

/// The lease of the one process that writes Investing.
///
/// Whoever holds it stores batches under its epoch.
struct WriterLease: Sendable {
    /// How long a process may be silent before another one takes over.
    static let seconds: Int64 = 4

    let pool: Pool
    let schema: Schema
    /// This process.
    let holder: UInt128
    /// Where other processes reach its API; nil if they can't.
    let address: String?

    /// The lease, taken from nobody or from one whose time is over; nil while another process holds it.
    ///
    /// A batch of the old holder that is being stored is waited for: it holds the row.
    func take() async throws -> Int64? {
        let rows = try await pool.query(
            """
            with free as (
                select single from \(schema).writer_lease
                where expires_at < clock_timestamp() or holder = \(holder)
                for update)
            update \(schema).writer_lease l
            set epoch = epoch + 1, holder = \(holder), address = \(address),
                expires_at = clock_timestamp() + make_interval(secs => \(WriterLease.seconds)::double precision)
            from free where l.single = free.single
            returning l.epoch
            """
        )
        return rows.isEmpty ? nil : try rows[0][0]
    }

    /// Prolongs the lease; false if it was lost.
    func renew(_ epoch: Int64) async throws -> Bool {
        let rows = try await pool.query(
            """
            update \(schema).writer_lease
            set expires_at = clock_timestamp() + make_interval(secs => \(WriterLease.seconds)::double precision)
            where epoch = \(epoch) and holder = \(holder) returning 1
            """
        )
        return !rows.isEmpty
    }

    /// Gives the lease back, so that the next process needn't wait.
    func release(_ epoch: Int64) async throws {
        _ = try await pool.query(
            "update \(schema).writer_lease set expires_at = '-infinity' where epoch = \(epoch) and holder = \(holder)"
        )
    }

    /// Ends the transaction unless this process still holds the lease; a taker waits until the transaction is over.
    func check(_ epoch: Int64) -> SQL {
        """
        with held as (
            select 1 from \(schema).writer_lease where epoch = \(epoch) and holder = \(holder) for key share)
        select blocks.expect_rows(count(*), 1) from held
        """
    }

    /// Who holds the lease now; nil if nobody does.
    func owner() async throws -> (holder: UInt128, address: String?)? {
        let rows = try await pool.query(
            "select holder, address from \(schema).writer_lease where expires_at >= clock_timestamp()"
        )
        guard let row = rows.first else { return nil }
        return (try row["holder"], try row["address"])
    }
}

import BenchServers
import Kernel
import Ledger
import Measuring
import PostgreSQL

extension Bench {
    private static let countedBatches = 20

    /// How often a ledger batch waits for the server.
    var waitsRow: Measurement {
        { [self] in
            let ours = try await waits(asRole: true) { pool in
                let ledger = Ledger(schema: .banking, pool: pool)
                return {
                    var random = SplitMix()
                    let items = (0..<HandWritten.batchSize).map { _ in load.evidencedTransfer(.uniform, &random) }
                    try Load.require(try await ledger.submit(batch: items))
                }
            }
            let small = try await waits(asRole: false) { pool in
                {
                    try await pool.withTransaction { transaction in
                        _ = try await transaction.query("update by_hand.rows set amount = amount + 1 where id = 1")
                        _ = try await transaction.query("select amount from by_hand.rows where id = 1")
                    }
                }
            }
            return [
                BenchmarkRow(
                    "waits for the server per ledger batch",
                    unit: .waits,
                    figure: ours,
                    clients: 1,
                    baseline: .init("update, select in withTransaction", small),
                    note: "synchronisation points on the wire, counted between client and server"
                )
            ]
        }
    }

    /// What a transfer takes on disk.
    var storageRow: Measurement {
        { [self] in
            let rows = try await pool.query(
                """
                select (sum(pg_total_relation_size(p.relid))::double precision
                    / greatest((select count(*) from banking.ledger_transfers), 1)) as bytes
                from pg_partition_tree('banking.ledger_transfers') p
                """
            )
            return [
                BenchmarkRow(
                    "storage per transfer with indexes",
                    unit: .bytes,
                    figure: try rows[0]["bytes"],
                    clients: 1,
                    baseline: .init("hand-written transfer and its two entries", try await byHand.bytesPerTransfer())
                )
            ]
        }
    }

    /// Waits per call of what `make` gives for a pool, once statements are prepared.
    private func waits(
        asRole: Bool,
        _ make: (Pool) -> @Sendable () async throws -> Void
    ) async throws -> Double {
        let counter = try await ProtocolCounter.start(server: server, directory: server.directory)
        defer { counter.stop() }
        let login = ConnectionOptions(url: counter.url, applicationName: "ledger-bench")
        let pool = Pool(asRole ? Bench.options(counter.url) : login, size: 1)
        defer { pool.close() }
        let call = make(pool)
        for _ in 0..<2 { try await call() }
        let before = counter.synchronisations
        for _ in 0..<Bench.countedBatches { try await call() }
        return Double(counter.synchronisations - before) / Double(Bench.countedBatches)
    }
}

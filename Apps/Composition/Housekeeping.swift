import DomainKit
import Kernel
import Logging
import Metrics
import PostgreSQL
import ServiceLifecycle
import Settings

/// Makes partitions ahead, drops those past their time, and forgets idempotency keys past theirs.
struct Housekeeping: Service {
    static let pauseSeconds = 600.0
    /// Keys deleted by one statement.
    static let keysMax = 10_000

    let runtime: DomainRuntime
    let retention: Settings.Retention
    let logger: Logger

    func run() async throws {
        let runway = Gauge(label: "partition_runway_periods", dimensions: [("schema", runtime.schema.name)])
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    runway.record(try await tidy())
                } catch {
                    logger.warning(
                        "housekeeping failed; it is done again",
                        metadata: ["schema": "\(runtime.schema)", "error": "\(error)"]
                    )
                }
                try? await Task.sleep(for: .seconds(Housekeeping.pauseSeconds))
            }
        }
    }

    /// Does all of it once and answers for how many periods partitions are there ahead.
    func tidy() async throws -> Int {
        let (pool, schema) = (runtime.pool, runtime.schema)
        _ = try await pool.query("select blocks.make_partitions(\(schema.name))")
        for row in try await pool.query("select blocks.drop_partitions(\(schema.name)) as dropped") {
            let dropped: String = try row["dropped"]
            logger.notice("a partition past its time was dropped", metadata: ["partition": "\(dropped)"])
        }
        var deleted = Housekeeping.keysMax
        while deleted == Housekeeping.keysMax {
            deleted = try await pool.query(
                """
                delete from \(schema).idempotency_keys where key in (
                    select key from \(schema).idempotency_keys
                    where created_at < clock_timestamp() - make_interval(hours =>
                        \(retention.idempotencyHours)::integer)
                    limit \(Housekeeping.keysMax))
                """
            ).affected
        }
        return try await pool.query("select blocks.partition_runway(\(schema.name))")[0][0]
    }
}

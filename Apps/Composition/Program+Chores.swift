import DataProtection
import DomainKit
import Identity
import Kernel
import Logging
import Messaging
import Metrics
import PostgreSQL
import Settings

extension Program {
    /// What has to be tidied: partitions, idempotency keys and inboxes of each schema, sessions, keys of tokens, and
    /// what the domains have of their own.
    var chores: [Chore] {
        everyRuntime.flatMap { [partitions($0), idempotencyKeys($0), inbox($0)] } + identityChores
            + protectionChores + [expiry, escalation] + domains.flatMap(\.chores)
    }

    /// Makes partitions ahead and drops those past their time.
    private func partitions(_ runtime: DomainRuntime) -> Chore {
        let (pool, schema, logger) = (runtime.pool, runtime.schema, logger)
        return Chore(name: "partitions", schema: schema.name) {
            _ = try await pool.query("select blocks.make_partitions(\(schema.name))")
            let dropped = try await pool.query("select blocks.drop_partitions(\(schema.name)) as dropped")
            for row in dropped {
                let name: String = try row["dropped"]
                logger.notice("a partition past its time was dropped", metadata: ["partition": "\(name)"])
            }
            let ahead: Int = try await pool.query("select blocks.partition_runway(\(schema.name))")[0][0]
            Gauge(label: "partition_runway_periods", dimensions: [("schema", schema.name)]).record(ahead)
            return dropped.count
        }
    }

    private func idempotencyKeys(_ runtime: DomainRuntime) -> Chore {
        let (pool, schema, hours, setMax) = (runtime.pool, runtime.schema, settings.retention.idempotencyHours, 10_000)
        return Chore(
            name: "idempotency_keys",
            schema: schema.name,
            setMax: setMax,
            work: {
                try await pool.query(
                    """
                    delete from \(schema).idempotency_keys where key in (
                        select key from \(schema).idempotency_keys
                        where created_at < clock_timestamp() - make_interval(hours => \(hours)::integer)
                        limit \(setMax)
                        for update skip locked)
                    """
                ).affected
            }
        )
    }

    private func inbox(_ runtime: DomainRuntime) -> Chore {
        let (inbox, days, setMax) = (runtime.inbox, settings.retention.inboxDays, 10_000)
        return Chore(
            name: "inbox",
            schema: runtime.schema.name,
            setMax: setMax,
            work: { try await inbox.sweep(olderThanDays: days, limit: setMax) }
        )
    }

    private var identityChores: [Chore] {
        let (identity, setMax) = (identity, 1_000)
        let retention = Retention(pool: platform.pool, schema: platform.schema)
        let rotationDays = settings.keys.jwtRotationDays
        let sessions = Chore(
            name: "sessions",
            schema: platform.schema.name,
            setMax: setMax,
            work: {
                guard let days = try await retention.days(of: "sessions") else { return 0 }
                return try await identity.sweep(retentionDays: days, limit: setMax)
            }
        )
        guard rotationDays > 0 else { return [sessions] }
        let keys = Chore(name: "signing_keys", schema: platform.schema.name) {
            let renewal = try await identity.renewKeys(afterDays: rotationDays)
            return renewal.added + renewal.removed
        }
        return [sessions, keys]
    }
}

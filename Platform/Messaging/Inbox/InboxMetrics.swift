import Kernel
import Logging
import Metrics
import PostgreSQL

/// What workers count and measure.
struct InboxMetrics: Sendable {
    private let schema: Schema
    private let logger: Logger

    init(schema: Schema, logger: Logger) { (self.schema, self.logger) = (schema, logger) }

    /// Counts settlements by the rows that they changed; what they found marked already has taken its effect.
    func count(_ settlements: [InboxSettlement], changed: Rows) throws {
        for row in changed {
            let (source, status): (String, InboxEvent.Status) = (try row[1], try row[2])
            let dimensions = [("schema", schema.name), ("source", source)]
            Counter(label: "inbox_settled_total", dimensions: dimensions + [("status", status.rawValue)]).increment()
            guard status == .dead else { continue }
            Counter(label: "inbox_dead_total", dimensions: dimensions).increment()
            let id: ID<InboxEvent> = try row[0]
            logger.error(
                "an event was given up",
                metadata: ["schema": "\(schema)", "source": "\(source)", "event": "\(id.wire)"]
            )
        }
        let done = settlements.count - changed.count
        if done > 0 {
            Counter(label: "inbox_processed_total", dimensions: [("schema", schema.name)]).increment(by: done)
        }
    }

    func record(_ backlog: [InboxBacklog]) {
        for entry in backlog {
            let dimensions = [("schema", schema.name), ("source", entry.source)]
            Gauge(label: "inbox_waiting", dimensions: dimensions).record(entry.waiting)
            Gauge(label: "inbox_parked", dimensions: dimensions).record(entry.parked)
            Gauge(label: "inbox_dead", dimensions: dimensions).record(entry.dead)
            Gauge(label: "inbox_oldest_waiting_seconds", dimensions: dimensions).record(entry.oldestWaitingSeconds)
        }
    }
}

import Kernel
public import Logging
import Metrics
public import PostgreSQL
public import ServiceLifecycle
import Traces
import Tracing

/// Publishes a schema's outbox; many may run side by side, here and in other processes.
///
/// It claims due events, hands them to each transport in turn and records how far they came in the transaction that
/// holds their locks. Whatever dies in between, the events are open again and published once more: at least once, and
/// for an ordered aggregate never a version before the one in front of it. A transport that is away holds up neither
/// the ones before it nor, once it is back, anything but the events that wait for it.
public struct OutboxRelay: Service {
    /// Events of one claim.
    public static let batchMax = 1_000
    private static let pollSeconds = 1.0
    /// The wait for events that another relay has in hand.
    private static let heldUpSeconds = 0.02
    private static let gaugeSeconds = 5.0
    /// Waits after a transport or the database was away: doubling between these.
    private static let pauseSeconds = (first: 0.5, cap: 30.0)

    private let pool: Pool
    private let schema: Schema
    private let transports: [any EventTransport]
    private let policy: OutboxPolicy
    private let signal: WorkSignal
    private let logger: Logger
    private let published: Counter
    private let refused: Counter
    private let dead: Counter
    private let oldest: Gauge

    /// A relay of a schema to transports; the first in the list is served even while the later ones are away.
    public init(
        pool: Pool,
        schema: Schema,
        transports: [any EventTransport],
        signal: WorkSignal,
        policy: OutboxPolicy = OutboxPolicy(),
        logger: Logger
    ) {
        precondition(!transports.isEmpty, "a relay without a transport")
        (self.pool, self.schema, self.transports, self.policy) = (pool, schema, transports, policy)
        (self.signal, self.logger) = (signal, logger)
        let dimensions = [("schema", schema.name)]
        published = Counter(label: "outbox_published_total", dimensions: dimensions)
        refused = Counter(label: "outbox_refused_total", dimensions: dimensions)
        dead = Counter(label: "outbox_dead_total", dimensions: dimensions)
        oldest = Gauge(label: "outbox_oldest_unpublished_seconds", dimensions: dimensions)
    }

    /// Publishes until a graceful shutdown or cancellation; a pass under way is finished.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var pauses = StagePauses(stages: transports.count, seconds: OutboxRelay.pauseSeconds)
            var gaugeDue = ContinuousClock.now
            while !Task.isCancelled {
                let waitSeconds = await passes(&pauses)
                if ContinuousClock.now >= gaugeDue {
                    gaugeDue = .now + .seconds(OutboxRelay.gaugeSeconds)
                    await measure()
                }
                if waitSeconds > 0 { await signal.wait(timeoutSeconds: waitSeconds) }
            }
        }
    }

    /// Publishes what is due now and returns how many events every transport has taken; for tests and one-off commands.
    public func drain() async throws -> Int {
        var pauses = StagePauses(stages: transports.count, seconds: OutboxRelay.pauseSeconds)
        var total = 0
        while true {
            var claimed = 0
            for stage in transports.indices where !pauses.isPaused(stage) {
                let outcome = try await pass(stage, &pauses)
                claimed += outcome.advanced
                total += outcome.published
            }
            if claimed == 0 { return total }
        }
    }

    /// One pass for each stage; answers how long to wait for a signal before the next, 0 when there is more to do.
    private func passes(_ pauses: inout StagePauses) async -> Double {
        var waitSeconds = OutboxRelay.pollSeconds
        for stage in transports.indices where !pauses.isPaused(stage) {
            do {
                let outcome = try await pass(stage, &pauses)
                if outcome.isHeldUp { waitSeconds = min(waitSeconds, OutboxRelay.heldUpSeconds) }
                if outcome.advanced == OutboxRelay.batchMax { waitSeconds = 0 }
            } catch {
                if Task.isCancelled { return 0 }
                pauses.pause(stage)
                logger.warning("outbox pass failed", metadata: ["schema": "\(schema)", "error": "\(error)"])
            }
        }
        return waitSeconds
    }

    private func pass(_ stage: Int, _ pauses: inout StagePauses) async throws -> RelayOutcome {
        let claims = OutboxClaims(schema: schema)
        let open = transports.indices.map { !pauses.isPaused($0) }
        let outcome = try await pool.withTransaction { transaction in
            // A mark that a crash of the server loses costs one more publication, which consumers drop.
            let claimed = try await transaction.claim(claims, stage: stage, limit: OutboxRelay.batchMax)
            guard !claimed.events.isEmpty else { return RelayOutcome(isHeldUp: claimed.isHeldUp) }
            var batch = RelayBatch(claimed.events, stages: transports.count)
            var away: [Int] = []
            var reached: [Int] = []
            for next in stage..<transports.count {
                if open[next], batch.ready(for: next).isEmpty { continue }
                if open[next], await hand(&batch, to: next) {
                    reached.append(next)
                } else {
                    batch.halted(at: next)
                    if open[next] { away.append(next) }
                }
            }
            var random = SystemRandomNumberGenerator()
            let marks = claims.marks(batch, stages: transports.count, policy: policy, random: &random)
            if !marks.isEmpty { _ = try await transaction.pipeline(marks) }
            var outcome = RelayOutcome(batch, stages: transports.count, policy: policy)
            (outcome.isHeldUp, outcome.reached, outcome.away) = (claimed.isHeldUp, reached, away)
            return outcome
        }
        for stage in outcome.away { pauses.pause(stage) }
        for stage in outcome.reached { pauses.reset(stage) }
        count(outcome)
        return outcome
    }

    /// Hands a stage's events to its transport; false when the transport is away.
    private func hand(_ batch: inout RelayBatch, to stage: Int) async -> Bool {
        let ready = batch.ready(for: stage)
        return await hand(ready[...], of: &batch, to: stage)
    }

    /// Halves what is refused until the event at fault stands alone; the earlier half always goes first.
    private func hand(_ positions: ArraySlice<Int>, of batch: inout RelayBatch, to stage: Int) async -> Bool {
        let positions = positions.filter { batch.mayEnter(stage, $0) }[...]
        guard let first = positions.first else { return true }
        let source = "/diboas/\(schema)"
        let spans = publications(of: positions.map { batch.entries[$0].record }, to: stage)
        defer { for span in spans { span.end() } }
        do throws(EventTransportError) {
            try await transports[stage].publish(positions.map { CloudEvent(batch.entries[$0].record, source: source) })
            batch.taken(positions, by: stage)
            return true
        } catch {
            for span in spans { span.recordError(error) }
            switch error {
            case .unavailable(let reason):
                let metadata: Logger.Metadata = ["transport": "\(transports[stage].name)", "reason": "\(reason)"]
                logger.warning("transport is away", metadata: metadata)
                return false
            case .refused(let reason) where positions.count == 1:
                batch.refused(first, by: stage, because: "\(transports[stage].name): \(reason)")
                return true
            case .refused:
                let middle = positions.startIndex + positions.count / 2
                guard await hand(positions[..<middle], of: &batch, to: stage) else { return false }
                return await hand(positions[middle...], of: &batch, to: stage)
            }
        }
    }

    /// A span for each publication, in the trace that recorded the event; what has none begins none.
    private func publications(of records: [OutboxRecord], to stage: Int) -> [RecordedSpan] {
        guard Traces.isOn else { return [] }
        return records.compactMap { record in
            guard let parent = record.traceparent.flatMap({ TraceParent($0) }) else { return nil }
            let span = Traces.begin("publish \(record.type)", .producer, parent: parent)
            span?.attributes["messaging.system"] = transports[stage].name
            return span
        }
    }

    private func count(_ outcome: RelayOutcome) {
        if outcome.published > 0 { published.increment(by: outcome.published) }
        if outcome.refused > 0 { refused.increment(by: outcome.refused) }
        guard outcome.dead > 0 else { return }
        dead.increment(by: outcome.dead)
        logger.error("events given up", metadata: ["schema": "\(schema)", "events": "\(outcome.dead)"])
    }

    private func measure() async {
        guard let backlog = try? await Outbox(pool: pool, schema: schema).backlog() else { return }
        oldest.record(backlog.oldestUnpublishedSeconds)
    }
}

extension Transaction {
    fileprivate func claim(
        _ claims: OutboxClaims,
        stage: Int,
        limit: Int
    ) async throws -> (events: [(record: OutboxRecord, barrier: Int?)], isHeldUp: Bool) {
        _ = try await query("select set_config('synchronous_commit', 'off', true)")
        return try await claims.claim(stage: stage, limit: limit, self)
    }
}

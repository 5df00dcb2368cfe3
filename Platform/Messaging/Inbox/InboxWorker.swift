import Kernel
public import Logging
import Metrics
import PostgreSQL
public import ServiceLifecycle
import Traces
import Tracing

/// Handles a schema's inbox; many may run side by side, here and in other processes.
///
/// A claim is a lease of 30 seconds, prolonged every 10, with a number that goes up with each claim. A worker that
/// stops breathing loses its events to another one, and whatever it still finishes is refused by that number. Events of
/// one object run one at a time.
public struct InboxWorker: Service {
    /// Objects that are handled at once, so that their effects share batches.
    public static let lanesMax = 256
    static let heartbeatSeconds = 10.0
    private static let pollSeconds = 1.0
    private static let gaugeSeconds = 5.0
    private static let pauseSeconds = 1.0

    private let inbox: Inbox
    private let handlers: [String: any InboxHandler]
    private let schedule: RetrySchedule
    private let signal: WorkSignal
    private let logger: Logger
    private let claims: InboxClaims
    private let lanesMax: Int
    private let metrics: InboxMetrics
    private let isOpen: @Sendable () -> Bool

    /// A worker for the sources that have a handler; it takes nothing new while `isOpen` says no.
    public init(
        inbox: Inbox,
        handlers: [String: any InboxHandler],
        signal: WorkSignal,
        schedule: RetrySchedule = .standard,
        lanesMax: Int = InboxWorker.lanesMax,
        logger: Logger,
        isOpen: @escaping @Sendable () -> Bool = { true }
    ) {
        precondition(lanesMax > 0, "a worker without a lane")
        (self.inbox, self.handlers, self.signal) = (inbox, handlers, signal)
        (self.schedule, self.lanesMax, self.logger, self.isOpen) = (schedule, lanesMax, logger, isOpen)
        claims = InboxClaims(schema: inbox.schema)
        metrics = InboxMetrics(schema: inbox.schema, logger: logger)
    }

    /// Handles events until a graceful shutdown or cancellation; then events under way are finished and the rest
    /// released.
    public func run() async throws {
        let run = InboxRun()
        await withTaskCancellationOrGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await prolong(run) }
                group.addTask { await forwardSignals(to: run) }
                while !run.isStopping {
                    let turn = await turnOrPause(run)
                    for lane in turn.lanes { start(lane, run, &group) }
                    await run.work.wait(timeoutSeconds: turn.waitSeconds)
                }
            }
            _ = await turnOrPause(run)
        } onCancelOrGracefulShutdown: {
            run.stop()
            signal.local.raise()
        }
    }

    /// Handles what is due now, and what becomes due meanwhile, until nothing is; for tests and one-off commands.
    public func drain() async throws {
        let run = InboxRun()
        let failure: (any Error)? = await withDiscardingTaskGroup { group in
            group.addTask { await prolong(run) }
            defer { run.stop() }
            while true {
                let wasIdle = run.lanes == 0
                let turn: Turn
                do { turn = try await self.turn(run) } catch { return error }
                for lane in turn.lanes { start(lane, run, &group) }
                if wasIdle, turn.lanes.isEmpty, !turn.isHeldUp { return nil }
                await run.work.wait(timeoutSeconds: turn.waitSeconds)
            }
        }
        if let failure { throw failure }
    }

    /// What one turn came to.
    private struct Turn {
        var lanes: [InboxLane] = []
        /// Whether events wait for a moment, as for another of their object to end.
        var isHeldUp = false

        init() {}

        init(_ claimed: Rows) throws {
            let (id, soon) = (try claimed.column("id"), try claimed.column("soon"))
            let isHeldUp = try claimed.first.map { row -> Bool in try row[soon] > 0 }
            let events = try claimed.compactMap { row -> InboxEvent? in
                let id: ID<InboxEvent>? = try row[id]
                return id == nil ? nil : try InboxEvent(row)
            }
            (lanes, self.isHeldUp) = (InboxLane.sort(events), isHeldUp ?? false)
        }

        var waitSeconds: Double { isHeldUp ? InboxClaims.busySeconds : InboxWorker.pollSeconds }
    }

    private func start(_ lane: InboxLane, _ run: InboxRun, _ group: inout DiscardingTaskGroup) {
        run.begin(lane)
        group.addTask { run.end(lane, await handle(lane, run)) }
    }

    /// Writes down what ended and claims what is due, in one round trip.
    private func turn(_ run: InboxRun) async throws -> Turn {
        let settlements = run.takeSettlements()
        let free = run.isStopping || !isOpen() ? 0 : lanesMax - run.lanes
        guard !settlements.isEmpty || free > 0 else { return Turn() }
        var statements = [claims.line]
        if !settlements.isEmpty { statements.append(claims.settle(settlements)) }
        if free > 0 { statements.append(claims.claim(sources: handlers.keys.sorted(), limit: free)) }
        let results: [Rows]
        do {
            results = try await inbox.pool.withConnection { [statements] in try await $0.pipeline(statements) }
        } catch {
            // What can't be written down stays claimed until its lease ends.
            run.putBack(settlements)
            throw error
        }
        if !settlements.isEmpty { try metrics.count(settlements, changed: results[1]) }
        guard free > 0, let claimed = results.last else { return Turn() }
        return try Turn(claimed)
    }

    private func turnOrPause(_ run: InboxRun) async -> Turn {
        do {
            return try await turn(run)
        } catch {
            logger.warning("inbox turn failed", metadata: ["schema": "\(inbox.schema)", "error": "\(error)"])
            try? await Task.sleep(for: .seconds(InboxWorker.pauseSeconds))
            return Turn()
        }
    }

    /// Handles a lane's events in order; behind an ordered one that isn't done the rest goes back.
    private func handle(_ lane: InboxLane, _ run: InboxRun) async -> [InboxSettlement] {
        var settlements: [InboxSettlement] = []
        guard let handler = handlers[lane.source] else { return [] }
        var isHeldUp = false
        for event in lane.events {
            if run.isStopping || (isHeldUp && event.sequence != nil) {
                settlements.append(.released(event, because: isHeldUp ? "waits for an earlier event" : "released"))
                continue
            }
            let attemptsMax = handler.attemptsMax(for: event.type)
            let disposition = await answer(to: event, by: handler, attemptsMax: attemptsMax)
            var random = SystemRandomNumberGenerator()
            settlements.append(
                .of(event, disposition, attemptsMax: attemptsMax, schedule: schedule, random: &random)
            )
            switch disposition {
            case .processed, .ignored: break
            case .parked, .retry, .dead: isHeldUp = isHeldUp || event.sequence != nil
            }
        }
        return settlements
    }

    private func answer(
        to event: InboxEvent,
        by handler: any InboxHandler,
        attemptsMax: Int
    ) async -> InboxDisposition {
        // More claims than attempts: the last ones ended without an answer, as when an event kills its process.
        guard event.attempt <= attemptsMax else {
            return .dead("gave up after \(attemptsMax) attempts without an answer")
        }
        do {
            return try await Traces.span("inbox \(event.type)", .consumer, parent: event.trace) { span in
                span?.attributes["inbox.attempt"] = event.attempt
                return try await handler.handle(event)
            }
        } catch {
            let why = FailureText.of(error)
            logger.warning(
                "an event's handler failed; it is tried again",
                metadata: [
                    "schema": "\(inbox.schema)", "source": "\(event.source)", "event": "\(event.id.wire)",
                    "type": "\(event.type)", "attempt": "\(event.attempt)", "error": "\(why)",
                ]
            )
            return .retry(why)
        }
    }

    private func prolong(_ run: InboxRun) async {
        while true {
            await run.ended.wait(timeoutSeconds: InboxWorker.heartbeatSeconds)
            if run.isEnded || Task.isCancelled { return }
            let held = run.held
            guard !held.isEmpty else { continue }
            do {
                let kept = try await inbox.pool.query(claims.prolong(held))
                if kept.count < held.count {
                    // Some of them have just committed their marks; the others are another worker's by now.
                    logger.debug("claims not prolonged", metadata: ["claims": "\(held.count - kept.count)"])
                }
            } catch {
                logger.warning("no heartbeat", metadata: ["schema": "\(inbox.schema)", "error": "\(error)"])
            }
        }
    }

    private func forwardSignals(to run: InboxRun) async {
        var gaugeDue = ContinuousClock.now
        while !run.isStopping {
            await signal.wait(timeoutSeconds: InboxWorker.pollSeconds)
            run.work.raise()
            guard ContinuousClock.now >= gaugeDue else { continue }
            gaugeDue = .now + .seconds(InboxWorker.gaugeSeconds)
            if let backlog = try? await inbox.backlog() { metrics.record(backlog) }
        }
    }
}

import BenchServers
import EmbeddedServers
import Foundation
import Kernel
import Ledger
import Logging
import Measuring
import Messaging
import PostgreSQL
import Redis

/// Handles an event by one transfer; effect and mark commit together.
private struct TransferOnEvent: InboxHandler {
    let ledger: Ledger
    let load: Load

    func handle(_ event: InboxEvent) async throws -> InboxDisposition {
        var random = SplitMix()
        let transfer = load.transfer(.uniform, &random)
        let mark = event.mark
        let item = LedgerItem(operation: transfer.operation, commands: transfer.commands) { _, _ in
            LedgerItem.Finish(rows: [mark])
        }
        try Load.require([try await ledger.submit(item)])
        return .processed
    }
}

extension Bench {
    /// Events of a round; a round ends when all of them are through.
    private static let eventsPerSecond = 4_000
    private static let source = "bench"
    private static let queueClients = 8

    /// The relay of the outbox and the worker of the inbox, each over a backlog.
    var messagingRows: [Measurement] { [relayRow, inboxRow] }

    private var relayRow: Measurement {
        { [self] in
            try await server.truncate("banking.outbox_events")
            return try await withRedis { redis in
                let relay = OutboxRelay(
                    pool: pool,
                    schema: .banking,
                    transports: [RedisStreamTransport(client: redis, schema: .banking)],
                    signal: WorkSignal(.outbox, of: .banking),
                    logger: logger
                )
                let ours = Contestant("outbox relay to a Redis stream", clients: 1) { seconds in
                    try await fillOutbox(seconds * Bench.eventsPerSecond)
                    return try await timed { try await relay.drain() }
                }
                return [try await Contest(ours, against: byHand.queue(clients: Bench.queueClients)).run(pacing)]
            }
        }
    }

    private var inboxRow: Measurement {
        let inbox = Inbox(pool: pool, schema: .banking, ids: load.ids, logger: logger)
        let worker = InboxWorker(
            inbox: inbox,
            handlers: [Bench.source: TransferOnEvent(ledger: ledger, load: load)],
            signal: WorkSignal(.inbox, of: .banking),
            logger: logger
        )
        let ours = Contestant("inbox worker, a transfer for each event", clients: InboxWorker.lanesMax) { seconds in
            let count = seconds * Bench.eventsPerSecond
            try await fillInbox(inbox, count)
            return try await timed {
                try await worker.drain()
                return count - (try await inbox.backlog().reduce(0) { $0 + $1.waiting })
            }
        }
        return contest(ours, against: byHand.queue(clients: Bench.queueClients))
    }

    private func timed(_ body: () async throws -> Int) async throws -> Round {
        let start = ContinuousClock.now
        let done = try await body()
        return Round(operations: done, seconds: (ContinuousClock.now - start).inSeconds)
    }

    private func fillOutbox(_ count: Int) async throws {
        var random = SplitMix()
        for _ in 0..<(count / HandWritten.batchSize) {
            let items = (0..<HandWritten.batchSize).map { _ in load.evidencedTransfer(.uniform, &random) }
            try Load.require(try await ledger.submit(batch: items))
        }
    }

    private func fillInbox(_ inbox: Inbox, _ count: Int) async throws {
        let body: JSON = ["type": "deposit.succeeded", "amount": "0.05", "asset": "USD"]
        let arrivals = (0..<count).map { _ in
            InboxArrival(
                source: Bench.source,
                eventID: load.ids.next(InboxEvent.self).description,
                type: "deposit.succeeded",
                body: body.serialized(),
                origin: .webhook
            )
        }
        _ = try await inbox.put(arrivals)
    }

    /// Runs `body` with a client of a Redis: that of `REDIS_URL`, else one started for it.
    private func withRedis<Answer: Sendable>(_ body: (RedisClient) async throws -> Answer) async throws -> Answer {
        let external = ProcessInfo.processInfo.environment["REDIS_URL"]
        let embedded = external == nil ? try await EmbeddedRedis.startTemporary(logger: logger) : nil
        let client = try RedisClient(url: external ?? embedded?.url ?? "", logger: logger)
        do {
            let answer = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await client.run() }
                defer { group.cancelAll() }
                _ = await client.waitUntilConnected(timeoutSeconds: 10)
                return try await body(client)
            }
            await embedded?.stop()
            return answer
        } catch {
            await embedded?.stop()
            throw error
        }
    }
}

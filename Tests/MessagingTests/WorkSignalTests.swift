import Kernel
@testable import Messaging
import PostgreSQL
import TestSupport
import Testing

@Suite struct WorkSignalTests {
    @Test func `a flag raised while nobody waits is not lost, and is lowered by who saw it`() async {
        let flag = Flag()
        flag.raise()
        flag.raise()
        // It would wait for an hour: the test's own end is the proof.
        await flag.wait(timeoutSeconds: 3_600)
        await flag.wait(timeoutSeconds: 0.01)
    }

    @Test func `a raised flag wakes all who wait`() async throws {
        let (flag, woken) = (Flag(), Box(0))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    await flag.wait(timeoutSeconds: 30)
                    woken.change { $0 += 1 }
                }
            }
            while woken.current < 8 {
                flag.raise()
                await Task.yield()
            }
        }
        #expect(woken.current == 8)
    }

    @Test func `a wait ends with its task`() async {
        let flag = Flag()
        // It would wait for an hour: the test's own end is the proof.
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await flag.wait(timeoutSeconds: 3_600) }
            group.cancelAll()
        }
    }

    @Test func `a signal reaches other processes`() async throws {
        try await Fixture.with { fixture in
            let (here, there) = (WorkSignal(.outbox, of: .banking), WorkSignal(.outbox, of: .banking))
            let notifier = WorkSignalNotifier(pool: fixture.pool, signals: [here], logger: Fixture.quiet)
            let listener = WorkSignalListener(fixture.database.options(), signals: [there], logger: Fixture.quiet)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await listener.run() }
                group.addTask { try await notifier.run() }
                // The first wake-up says that it listens now, the second comes by notification.
                await there.wait(timeoutSeconds: 30)
                let listening = try await eventually {
                    try await fixture.value("select exists (select from pg_stat_activity where query like 'listen%')")
                }
                #expect(listening)
                let isWoken = Box(false)
                group.addTask {
                    await there.wait(timeoutSeconds: 600)
                    isWoken.change { $0 = true }
                }
                let hasArrived = try await eventually {
                    here.raise()
                    return isWoken.current
                }
                #expect(hasArrived)
                group.cancelAll()
            }
        }
    }

    @Test func `a relay publishes what it is signalled of`() async throws {
        try await Fixture.with { fixture in
            let (transport, signal) = (RecordingTransport(), WorkSignal(.outbox, of: .banking))
            let relay = OutboxRelay(
                pool: fixture.pool,
                schema: .banking,
                transports: [transport],
                signal: signal,
                logger: Fixture.quiet
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await relay.run() }
                for version in 1...5 {
                    try await fixture.commit([fixture.event(1, Int64(version))])
                    signal.raise()
                    let isPublished = try await eventually { transport.state.current.events.count == version }
                    #expect(isPublished)
                }
                group.cancelAll()
            }
        }
    }
}

import Cryptography
import Foundation
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite struct WorkerThreadsTests {
    /// A door behind which work waits until the test opens it.
    private final class Door: Sendable {
        private let open = Atomic(false)

        func wait() { while !open.load(ordering: .acquiring) { sched_yield() } }
        func release() { open.store(true, ordering: .releasing) }
    }

    private final class Count: Sendable {
        private let value = Atomic(0)

        func increment() { value.add(1, ordering: .sequentiallyConsistent) }
        var now: Int { value.load(ordering: .sequentiallyConsistent) }
    }

    @Test func `work returns its result, each its own`() async throws {
        let threads = WorkerThreads(threads: 3, queuedMax: 1000)
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 1...500 { group.addTask { try await threads.run { number } } }
            return try await group.reduce(0, +)
        }
        #expect(sum == 125_250)
    }

    @Test func `work that finds the queue full is refused at once and the rest is done`() async throws {
        let threads = WorkerThreads(threads: 1, queuedMax: 2)
        let door = Door()
        let started = Count()
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await threads.run {
                        started.increment()
                        door.wait()
                    }
                    return true
                } catch { return false }
            }
            while started.now == 0 { await Task.yield() }
            // The one thread is held; of these, two wait and each other is refused before the door opens.
            for _ in 0..<5 {
                group.addTask { (try? await threads.run {}) != nil }
            }
            var outcomes: [Bool] = []
            for await outcome in group {
                outcomes.append(outcome)
                if outcomes.count == 3 { door.release() }
            }
            return outcomes
        }
        #expect(outcomes.prefix(3).allSatisfy { !$0 })
        #expect(outcomes.count { $0 } == 3)
    }

    @Test func `as many pieces run at once as there are threads`() async throws {
        let threads = WorkerThreads(threads: 4, queuedMax: 10)
        let inside = Count()
        // Each waits for all four, so this ends only if they run at once.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await threads.run {
                        inside.increment()
                        while inside.now < 4 { sched_yield() }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(inside.now == 4)
    }

    @Test func `the threads end with the last reference`() async throws {
        for round in 0..<200 {
            let threads = WorkerThreads(threads: 4, queuedMax: 1)
            #expect(try await threads.run { round } == round)
        }
        // Threads of other tests run beside these, but by far not 800 of them.
        let deadline = ContinuousClock.now + .seconds(30)
        while try threadCount() > 400, ContinuousClock.now < deadline { await Task.yield() }
        #expect(try threadCount() <= 400)
    }

    private func threadCount() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
    }
}

import Cryptography
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite struct WorkerThreadsTests {
    /// A door behind which work waits until the test opens it.
    private final class Door: Sendable {
        private let open = Atomic(false)

        func wait() { while !open.load(ordering: .acquiring) { usleep(100) } }
        func release() { open.store(true, ordering: .releasing) }
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
        let started = Atomic(0)
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await threads.run {
                        started.add(1, ordering: .sequentiallyConsistent)
                        door.wait()
                    }
                    return true
                } catch { return false }
            }
            while started.load(ordering: .sequentiallyConsistent) == 0 { await Task.yield() }
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
        let inside = Atomic(0)
        // Each waits for all four, so this ends only if they run at once.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await threads.run {
                        inside.add(1, ordering: .sequentiallyConsistent)
                        while inside.load(ordering: .sequentiallyConsistent) < 4 { usleep(100) }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(inside.load(ordering: .sequentiallyConsistent) == 4)
    }

    @Test func `queued work is done though the last reference is gone`() async throws {
        var threads: WorkerThreads? = WorkerThreads(threads: 1, queuedMax: 10)
        let result = try await threads?.run { 7 }
        threads = nil
        #expect(result == 7)
    }
}

import PostgreSQL
import Synchronization
import TestSupport
import Testing

/// Wants a lock that somebody else has, and lets that one go after so many refusals.
private final class Waiting: BatchCommitter {
    let sizes = Mutex<[Int]>([])
    private let pool: Pool
    private let holder: Connection
    private let refusalsMax: Int

    init(_ pool: Pool, holder: Connection, refusalsMax: Int) {
        (self.pool, self.holder, self.refusalsMax) = (pool, holder, refusalsMax)
    }

    func commit(_ items: [Int]) async throws -> [Int] {
        let calls = sizes.withLock { sizes in
            sizes.append(items.count)
            return sizes.count
        }
        if calls > refusalsMax { try await holder.execute(script: "rollback") }
        _ = try await pool.withTransaction { try await $0.query("lock table banking.inbox in exclusive mode nowait") }
        return items
    }
}

struct GroupCommitTests {
    /// Submits four items as one batch while the lock is held; the sizes of the runs, and how many went through.
    private static func run(refusalsMax: Int) async throws -> (sizes: [Int], done: Int) {
        try await TestDatabase.with { database in
            let holder = try await Connection.open(database.options())
            defer { holder.close() }
            try await holder.execute(script: "begin; lock table banking.inbox in exclusive mode")
            let committer = Waiting(database.pool(), holder: holder, refusalsMax: refusalsMax)
            let queue = GroupCommit(committer, label: "locked", writers: 1)
            let done = try await withThrowingTaskGroup(of: Bool.self) { group in
                for item in 0..<4 {
                    group.addTask {
                        do {
                            return try await queue.submit(item) == item
                        } catch let error as PostgresError where error.state == "55P03" {
                            return false
                        }
                    }
                }
                while queue.waiting < 4 { await Task.yield() }
                return try await withThrowingTaskGroup(of: Void.self) { writers in
                    writers.addTask { try await queue.run() }
                    defer { writers.cancelAll() }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
            }
            return (committer.sizes.withLock { $0 }, done)
        }
    }

    @Test func `a lock that somebody else has is nobody's fault: the whole batch runs again`() async throws {
        let outcome = try await GroupCommitTests.run(refusalsMax: 1)
        #expect(outcome.sizes == [4, 4] && outcome.done == 4)
    }

    @Test func `a lock that isn't let go fails the whole batch after a few runs`() async throws {
        let outcome = try await GroupCommitTests.run(refusalsMax: .max)
        #expect(outcome.sizes == [4, 4, 4, 4, 4] && outcome.done == 0)
    }
}

import PostgreSQL
import Synchronization
import Testing

/// Counts batches and fails them all in one way.
private final class Failing: BatchCommitter {
    struct Fault: Error {}

    let sizes = Mutex<[Int]>([])
    private let isCancellation: Bool

    init(isCancellation: Bool) { self.isCancellation = isCancellation }

    func commit(_ items: [Int]) async throws -> [Int] {
        sizes.withLock { $0.append(items.count) }
        if isCancellation { throw CancellationError() }
        throw Fault()
    }
}

@Suite struct CancellationTests {
    private static func sizes(_ committer: Failing) async throws -> [Int] {
        let queue = GroupCommit(committer, label: "cancelled", writers: 1)
        await withTaskGroup(of: Void.self) { group in
            for item in 0..<4 {
                group.addTask { await #expect(throws: (any Error).self) { _ = try await queue.submit(item) } }
            }
            while queue.waiting < 4 { await Task.yield() }
            await withTaskGroup(of: Void.self) { writers in
                writers.addTask { try? await queue.run() }
                await group.waitForAll()
                writers.cancelAll()
            }
        }
        return committer.sizes.withLock { $0 }
    }

    @Test func `a batch whose end is unknown because it was cancelled is not run again in halves`() async throws {
        #expect(try await CancellationTests.sizes(Failing(isCancellation: true)) == [4])
    }

    @Test func `a batch that an item broke is run again in halves`() async throws {
        #expect(try await CancellationTests.sizes(Failing(isCancellation: false)) == [4, 2, 1, 1, 2, 1, 1])
    }
}

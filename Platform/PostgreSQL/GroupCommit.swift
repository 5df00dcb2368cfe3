import DequeModule
public import Kernel
import Metrics
public import ServiceLifecycle
import Synchronization

/// Stores many items in one transaction.
public protocol BatchCommitter: Sendable {
    /// What callers submit.
    associatedtype Item: Sendable
    /// What each caller gets.
    associatedtype Outcome: Sendable

    /// Decides and stores all items in one transaction and answers with their outcomes in the same order.
    ///
    /// - Throws: a `PostgresError` when none of it took effect, or `.outcomeUnknown`; any other error likewise means
    ///   that nothing took effect and that one of the items is at fault.
    func commit(_ items: [Item]) async throws -> [Outcome]
}

/// The queue in front of a ledger or another store is full, or closed.
public enum GroupCommitError: Error, Sendable {
    /// More items wait than the queue may hold; nothing was done with this one.
    case full
    /// The program is shutting down; nothing was done with this one.
    case closed
}

extension GroupCommitError: ProblemConvertible {
    /// 429 or 503: the client may try again.
    public var problem: Problem {
        switch self {
        case .full:
            Problem(429, "overloaded", "Too many requests are waiting. Nothing was changed.", retryAfterSeconds: 1)
        case .closed:
            Problem(503, "shutting_down", "The server is stopping. Nothing was changed.", retryAfterSeconds: 2)
        }
    }
}

/// Turns what concurrent callers submit into batches: while one batch commits, the next one gathers.
///
/// There is no timer, so a single caller gets a batch of one at once. A batch that a bad item breaks is halved until
/// the item stands alone; the others go through.
public final class GroupCommit<Committer: BatchCommitter>: Service {
    private struct Entry {
        let item: Committer.Item
        let submitted: ContinuousClock.Instant
        let continuation: UnsafeContinuation<Committer.Outcome, any Error>
    }

    private struct State {
        var queue: Deque<Entry> = []
        var idleWriters: [UnsafeContinuation<Void, Never>] = []
        var isClosed = false
    }

    /// How often a batch that met a deadlock, a serialization failure or a broken connection is run.
    private static var attemptsMax: Int { 5 }

    private let committer: Committer
    private let batchMax: Int
    private let queueMax: Int
    private let writers: Int
    private let state = Mutex(State())
    private let queueWait: Metrics.Timer
    private let batchSize: Recorder
    private let commitTime: Metrics.Timer
    private let isolated: Counter

    /// A queue in front of a committer, with `writers` batches under way at once.
    public init(_ committer: Committer, label: String, batchMax: Int = 2_000, queueMax: Int = 50_000, writers: Int = 2)
    {
        (self.committer, self.batchMax, self.queueMax, self.writers) = (committer, batchMax, queueMax, writers)
        queueWait = Metrics.Timer(label: "group_commit_queue_wait_seconds", dimensions: [("queue", label)])
        batchSize = Recorder(label: "group_commit_batch_items", dimensions: [("queue", label)])
        commitTime = Metrics.Timer(label: "group_commit_seconds", dimensions: [("queue", label)])
        isolated = Counter(label: "group_commit_isolated_items_total", dimensions: [("queue", label)])
    }

    /// Puts an item in the queue and waits until its batch is committed.
    ///
    /// - Throws: `GroupCommitError` when it was not taken, or what the committer threw for it.
    public func submit(_ item: Committer.Item) async throws -> Committer.Outcome {
        try await withUnsafeThrowingContinuation { continuation in
            let entry = Entry(item: item, submitted: .now, continuation: continuation)
            let (refusal, writer) = state.withLock { state -> (GroupCommitError?, UnsafeContinuation<Void, Never>?) in
                guard !state.isClosed else { return (.closed, nil) }
                guard state.queue.count < queueMax else { return (.full, nil) }
                state.queue.append(entry)
                return (nil, state.idleWriters.popLast())
            }
            if let refusal { continuation.resume(throwing: refusal) }
            writer?.resume()
        }
    }

    /// Items that wait now.
    public var waiting: Int { state.withLock { $0.queue.count } }

    /// Commits batches until a graceful shutdown or cancellation; what was taken before it is committed first.
    public func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for _ in 0..<writers { group.addTask { await self.write() } }
            }
        } onCancelOrGracefulShutdown: {
            self.close()
        }
    }

    private func close() {
        let writers = state.withLock { state in
            state.isClosed = true
            defer { state.idleWriters = [] }
            return state.idleWriters
        }
        for writer in writers { writer.resume() }
    }

    private func write() async {
        while let batch = await nextBatch() {
            let now = ContinuousClock.now
            batchSize.record(Int64(batch.count))
            if let first = batch.first { queueWait.recordSeconds((now - first.submitted).seconds) }
            await settle(batch[...])
            commitTime.recordSeconds((ContinuousClock.now - now).seconds)
        }
    }

    /// What waits, at most `batchMax`; nil once closed and empty.
    private func nextBatch() async -> [Entry]? {
        while true {
            let (batch, ends): ([Entry], Bool) = state.withLock { state in
                guard !state.queue.isEmpty else { return ([], state.isClosed) }
                let count = min(batchMax, state.queue.count)
                defer { state.queue.removeFirst(count) }
                return (Array(state.queue.prefix(count)), false)
            }
            if ends { return nil }
            if !batch.isEmpty { return batch }
            await withUnsafeContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard state.queue.isEmpty, !state.isClosed else { return false }
                    state.idleWriters.append(continuation)
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        }
    }

    private func settle(_ batch: ArraySlice<Entry>) async {
        do {
            let outcomes = try await commitWithRetry(batch.map(\.item))
            precondition(outcomes.count == batch.count, "a committer must answer for each item")
            for (entry, outcome) in zip(batch, outcomes) { entry.continuation.resume(returning: outcome) }
        } catch {
            guard batch.count > 1, error.isFaultOfAnItem else {
                if batch.count == 1, error.isFaultOfAnItem { isolated.increment() }
                for entry in batch { entry.continuation.resume(throwing: error) }
                return
            }
            let middle = batch.startIndex + batch.count / 2
            await settle(batch[..<middle])
            await settle(batch[middle...])
        }
    }

    private func commitWithRetry(_ items: [Committer.Item]) async throws -> [Committer.Outcome] {
        var attempt = 1
        while true {
            do {
                return try await committer.commit(items)
            } catch  where error.isPassing && attempt < GroupCommit.attemptsMax {
                // A cancelled writer still brings what it took to an end, only without waiting.
                try? await Task.sleep(for: .milliseconds(Int.random(in: 1...(5 << attempt))))
                attempt += 1
            }
        }
    }
}

extension PostgresError {
    /// Nothing took effect, and the same statements may go through when run again.
    fileprivate var isPassing: Bool {
        switch self {
        case .connectionLost: true
        // Another's lock (55P03) is held by none of the batch's items, however few of them there are.
        case .refused(let refusal): isRetryable || breaksConnection || refusal.state == "55P03"
        case .unreachable, .poolExhausted, .outcomeUnknown, .closed: false
        }
    }
}

extension Error {
    fileprivate var isPassing: Bool { (self as? PostgresError)?.isPassing ?? (self is BatchConflict) }

    /// Whether a smaller batch can go through where this one failed.
    fileprivate var isFaultOfAnItem: Bool {
        if self is CancellationError { return false }
        return switch self as? PostgresError {
        case .refused(let refusal):
            !refusal.state.hasPrefix("57") && !refusal.state.hasPrefix("53") && refusal.state != "55P03"
        case .some: false
        case nil: true
        }
    }
}

/// A batch met another's rows; it took no effect and goes through when run again.
public struct BatchConflict: Error, Sendable {
    /// A conflict.
    public init() {}
}

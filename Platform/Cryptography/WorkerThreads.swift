import Glibc

/// A few threads of its own for work that blocks or burns a core, which Swift's cooperative threads must not do.
///
/// Work is done in the order in which it came; at most `queuedMax` pieces wait. The threads end when the last reference
/// goes, after what is queued.
public final class WorkerThreads: Sendable {
    /// There is no room for more waiting work.
    public struct QueueFull: Error, Hashable, Sendable {}

    private let queue: WorkQueue

    /// Threads that start at once; the caller guarantees 1 to 64 of them and room for one piece of work at least.
    public init(threads: Int, queuedMax: Int) {
        precondition((1...64).contains(threads) && queuedMax > 0, "worker threads outside 1...64 or no queue")
        queue = WorkQueue(queuedMax: queuedMax)
        for _ in 0..<threads { queue.startThread() }
    }

    deinit { queue.close() }

    /// Does `work` on one of the threads and returns what it returns.
    ///
    /// Cancelling the caller's task doesn't interrupt it.
    ///
    /// - Throws: `QueueFull` at once if `queuedMax` pieces are waiting.
    public func run<Output: Sendable>(_ work: @escaping @Sendable () -> Output) async throws(QueueFull) -> Output {
        let output: Output? = await withCheckedContinuation { continuation in
            let accepted = queue.add { continuation.resume(returning: work()) }
            if !accepted { continuation.resume(returning: nil) }
        }
        guard let output else { throw QueueFull() }
        return output
    }
}

// Unchecked because it owns a pthread mutex and condition at fixed addresses; the mutex guards everything else.
private final class WorkQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let queuedMax: Int
    private var waiting: [@Sendable () -> Void] = []
    private var closed = false

    init(queuedMax: Int) {
        self.queuedMax = queuedMax
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    func add(_ work: @escaping @Sendable () -> Void) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard waiting.count < queuedMax else { return false }
        waiting.append(work)
        pthread_cond_signal(changed)
        return true
    }

    func close() {
        pthread_mutex_lock(mutex)
        closed = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    func startThread() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                let queue = Unmanaged<WorkQueue>.fromOpaque(context).takeRetainedValue()
                while let work = queue.next() { work() }
                return nil
            },
            context.toOpaque()
        )
        precondition(code == 0, "the system has no thread left")
        pthread_detach(thread)
    }

    // Waits for work; nil once the queue is closed and empty.
    private func next() -> (@Sendable () -> Void)? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while waiting.isEmpty, !closed { pthread_cond_wait(changed, mutex) }
        return waiting.isEmpty ? nil : waiting.removeFirst()
    }
}

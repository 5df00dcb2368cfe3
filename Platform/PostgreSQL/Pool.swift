import DequeModule
import Logging
import Metrics
import Synchronization

/// A bounded set of connections that callers borrow, made when needed and replaced when broken.
public final class Pool: Sendable {
    /// What a caller in line gets at the end of it.
    private enum Handed {
        case connection(Connection)
        /// The right to open one; it is counted as open already, so that nobody overtakes.
        case room
        case tooLate
        case closed
    }

    private struct Waiter {
        let continuation: UnsafeContinuation<Handed, Never>
        let number: Int
    }

    private struct State {
        var idle: [Connection] = []
        var open = 0
        var waiters: Deque<Waiter> = []
        var waiterNumber = 0
        var isClosed = false
    }

    /// Callers that may wait for a connection; one more is refused at once.
    static let waitersMax = 10_000

    /// The most connections that are open at once.
    public let size: Int
    private let options: ConnectionOptions
    private let waitSeconds: Double
    private let state = Mutex(State())
    private let waited: Metrics.Timer
    private let opened: Counter

    /// A pool of at most `size` connections; a caller waits for one at most `waitSeconds`.
    public init(_ options: ConnectionOptions, size: Int = 16, waitSeconds: Double = 5) {
        (self.options, self.size, self.waitSeconds) = (options, size, waitSeconds)
        waited = Metrics.Timer(label: "postgres_pool_wait_seconds", dimensions: [("pool", options.applicationName)])
        opened = Counter(label: "postgres_connections_opened_total", dimensions: [("pool", options.applicationName)])
    }

    /// Lends a connection for the time of `body`; a connection that broke in it doesn't come back.
    ///
    /// - Throws: `PostgresError.unreachable`, `.poolExhausted`, `.closed`, or what `body` throws.
    public func withConnection<Answer: Sendable>(
        _ body: (Connection) async throws -> Answer
    ) async throws -> Answer {
        let connection = try await borrow()
        do {
            let answer = try await body(connection)
            giveBack(connection)
            return answer
        } catch {
            if let error = error as? PostgresError, error.breaksConnection {
                discard(connection)
            } else {
                giveBack(connection)
            }
            throw error
        }
    }

    /// Runs one statement in a transaction of its own.
    public func query(_ statement: SQL) async throws -> Rows {
        try await withConnection { try await $0.query(statement) }
    }

    /// How many callers stand in line now.
    public var waiting: Int { state.withLock { $0.waiters.count } }

    /// How many connections are lent out now.
    public var inUse: Int { state.withLock { $0.open - $0.idle.count } }

    /// Closes the idle connections and refuses new borrowers; lent ones close when they come back.
    public func close() {
        let (idle, waiters) = state.withLock { state in
            state.isClosed = true
            defer {
                state.open -= state.idle.count
                (state.idle, state.waiters) = ([], [])
            }
            return (state.idle, state.waiters)
        }
        for connection in idle { connection.close() }
        for waiter in waiters { waiter.continuation.resume(returning: .closed) }
    }

    private enum Turn {
        case take(Connection)
        case open
        case wait
    }

    private func borrow() async throws -> Connection {
        let turn: Turn = try state.withLock { state in
            guard !state.isClosed else { throw PostgresError.closed }
            while let connection = state.idle.popLast() {
                if !connection.isBroken { return .take(connection) }
                state.open -= 1
            }
            guard state.open < size else { return .wait }
            state.open += 1
            return .open
        }
        switch turn {
        case .take(let connection): return connection
        case .open: return try await openNew()
        case .wait: return try await waitForTurn()
        }
    }

    private func openNew() async throws -> Connection {
        do {
            let connection = try await Connection.open(options)
            opened.increment()
            connection.onBreak { [weak self, weak connection] in
                if let connection { self?.forget(connection) }
            }
            return connection
        } catch {
            passOn(nil)
            throw error
        }
    }

    /// Waits in line; whoever gives a connection back hands it over, or the right to open one.
    private func waitForTurn() async throws -> Connection {
        let start = ContinuousClock.now
        let number = state.withLock { state in
            state.waiterNumber += 1
            return state.waiterNumber
        }
        let alarm = IOLoop.shared.after(seconds: waitSeconds) { [weak self] in self?.giveUp(number) }
        defer { alarm.cancel() }
        let handed = await withUnsafeContinuation { continuation in
            let atOnce: Handed? = state.withLock { state in
                guard !state.isClosed else { return Handed.closed }
                // One may have come back since this caller looked.
                if let connection = state.idle.popLast() { return .connection(connection) }
                if state.open < size {
                    state.open += 1
                    return .room
                }
                guard state.waiters.count < Pool.waitersMax else { return .tooLate }
                state.waiters.append(Waiter(continuation: continuation, number: number))
                return nil
            }
            if let atOnce { continuation.resume(returning: atOnce) }
        }
        let elapsed = ContinuousClock.now - start
        waited.recordSeconds(elapsed.seconds)
        switch handed {
        case .connection(let connection): return connection
        case .room: return try await openNew()
        case .tooLate: throw PostgresError.poolExhausted(waitedSeconds: elapsed.seconds)
        case .closed: throw PostgresError.closed
        }
    }

    private func giveUp(_ number: Int) {
        let waiter = state.withLock { state in
            state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: .tooLate)
    }

    private func giveBack(_ connection: Connection) {
        guard !connection.isBroken else { return passOn(nil) }
        passOn(connection)
    }

    private func discard(_ connection: Connection) {
        connection.close()
        passOn(nil)
    }

    /// Hands a connection, or the room for one (nil), to the next in line, or keeps it idle.
    private func passOn(_ connection: Connection?) {
        let (waiter, surplus): (Waiter?, Connection?) = state.withLock { state in
            if let waiter = state.waiters.popFirst() { return (waiter, nil) }
            guard let connection else {
                state.open -= 1
                return (nil, nil)
            }
            if state.isClosed {
                state.open -= 1
                return (nil, connection)
            }
            state.idle.append(connection)
            return (nil, nil)
        }
        waiter?.continuation.resume(returning: connection.map(Handed.connection) ?? .room)
        surplus?.close()
    }

    /// Takes a connection that broke while idle out of the pool.
    private func forget(_ connection: Connection) {
        state.withLock { state in
            guard let index = state.idle.firstIndex(where: { $0 === connection }) else { return }
            state.idle.remove(at: index)
            state.open -= 1
        }
    }
}

extension Duration {
    /// The duration in seconds.
    public var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

extension PostgresError {
    /// Whether the connection that threw it can't be used again.
    var breaksConnection: Bool {
        switch self {
        case .connectionLost, .outcomeUnknown, .unreachable, .closed: true
        // A server that became a standby, or is shutting down: another connection finds the new primary.
        case .refused(let refusal): refusal.state == "25006" || refusal.state.hasPrefix("57P")
        case .poolExhausted: false
        }
    }
}

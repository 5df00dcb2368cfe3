import Synchronization

/// How much a transaction sees of others that run beside it.
public enum Isolation: String, Sendable {
    /// PostgreSQL's default.
    case readCommitted
    /// One snapshot for all statements.
    case repeatableRead
    /// As if transactions ran one after the other.
    case serializable
}

/// A transaction under way; it begins with its first statement, in the same round trip.
public final class Transaction: Sendable {
    private struct State {
        var hasBegun = false
        var number: Int64?
    }

    private let connection: Connection
    private let isolation: Isolation
    private let state = Mutex(State())

    init(_ connection: Connection, _ isolation: Isolation) {
        (self.connection, self.isolation) = (connection, isolation)
    }

    /// Runs one statement.
    public func query(_ statement: SQL) async throws -> Rows {
        guard let last = try await pipeline([statement]).last else {
            preconditionFailure("a statement without a result")
        }
        return last
    }

    /// Runs statements in one round trip.
    ///
    /// - Throws: the first failure, as a `PostgresError`; the transaction can then only be rolled back.
    public func pipeline(_ statements: [SQL]) async throws -> [Rows] {
        let begins = state.withLock { state in
            defer { state.hasBegun = true }
            return !state.hasBegun
        }
        guard begins else { return try await connection.pipelineInTransaction(statements) }
        let results = try await connection.pipelineInTransaction([begin, "select pg_current_xact_id()"] + statements)
        let number: Int64 = try results[1][0][0]
        state.withLock { $0.number = number }
        return Array(results.dropFirst(2))
    }

    /// The id by which the server knows the transaction; what a lost commit is looked up by.
    var number: Int64? { state.withLock { $0.number } }

    private var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// Runs last statements and the commit in one round trip.
    func commit(_ statements: [SQL]) async throws {
        if !hasBegun {
            guard !statements.isEmpty else { return }
            _ = try await pipeline([])
        }
        let results = try await connection.pipeline(statements + ["commit"])
        // A commit of a transaction that had failed answers ROLLBACK and no error.
        guard let last = results.last, last.tag == "COMMIT" else {
            throw PostgresError.connectionLost("the transaction had failed before its commit")
        }
    }

    func rollback() async throws {
        if hasBegun { _ = try await connection.pipelineInTransaction(["rollback"]) }
    }

    private var begin: SQL {
        switch isolation {
        case .readCommitted: "begin"
        case .repeatableRead: "begin isolation level repeatable read"
        case .serializable: "begin isolation level serializable"
        }
    }
}

/// The end of a transaction: what the caller gets, and statements to send in the same round trip as the commit.
public struct Closing<Answer: Sendable>: Sendable {
    let answer: Answer
    let statements: [SQL]

    /// An answer, and the statements that go before the commit.
    public init(_ answer: Answer, last statements: [SQL] = []) { (self.answer, self.statements) = (answer, statements) }
}

extension Pool {
    /// How often a transaction that met a serialization failure or a deadlock is run, the first time included.
    static let attemptsMax = 5

    /// Runs `body` in a transaction and commits it, or rolls it back when `body` throws.
    ///
    /// Only a serialization failure or deadlock (40001, 40P01) runs `body` again. A commit whose answer was lost is
    /// looked up by the transaction's number: it is either known to have taken effect, known not to have, or
    /// `PostgresError.outcomeUnknown` is thrown.
    public func withTransaction<Answer: Sendable>(
        isolation: Isolation = .readCommitted,
        _ body: (Transaction) async throws -> Answer
    ) async throws -> Answer {
        var attempt = 1
        while true {
            do {
                return try await transact(isolation: isolation) { Closing(try await body($0)) }
            } catch let error as PostgresError where error.isRetryable && attempt < Pool.attemptsMax {
                attempt += 1
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...(10 << attempt))))
            }
        }
    }

    /// Runs `body` once in a transaction whose last statements travel with the commit; never runs it again.
    ///
    /// - Throws: as `withTransaction`.
    public func transact<Answer: Sendable>(
        isolation: Isolation = .readCommitted,
        _ body: (Transaction) async throws -> Closing<Answer>
    ) async throws -> Answer {
        let decided: (answer: Answer, lost: (number: Int64, life: String)?) = try await withConnection { connection in
            let transaction = Transaction(connection, isolation)
            do {
                let closing = try await body(transaction)
                do {
                    try await transaction.commit(closing.statements)
                    return (closing.answer, nil)
                } catch PostgresError.outcomeUnknown(let message) {
                    connection.close()
                    guard let number = transaction.number else { throw PostgresError.outcomeUnknown(message) }
                    return (closing.answer, (number, connection.serverLife))
                }
            } catch let error as PostgresError where error.breaksConnection {
                throw error
            } catch {
                try await transaction.rollback()
                throw error
            }
        }
        if let lost = decided.lost, try await !tookEffect(transaction: lost.number, inLife: lost.life) {
            throw PostgresError.connectionLost("the connection broke before the commit took effect")
        }
        return decided.answer
    }

    /// Looks up, on another connection, whether a transaction took effect that was begun in a life of the server.
    ///
    /// A server that crashed may give a number again that it hadn't written to its log: what has committed under it
    /// then may be another transaction. What has committed keeps its number, so that nothing else is in doubt.
    ///
    /// - Throws: `PostgresError.outcomeUnknown` when it can't be decided, or not within about ten seconds.
    public func tookEffect(transaction number: Int64, inLife life: String) async throws -> Bool {
        for attempt in 0..<40 {
            // A cancelled caller must not mistake its commit for one that failed.
            if attempt > 0, (try? await Task.sleep(for: .milliseconds(250))) == nil { break }
            switch await fate(of: number, inLife: life) {
            case .committed: return true
            case .undone: return false
            case .doubtful:
                throw PostgresError.outcomeUnknown("transaction \(number) may be another one since the server crashed")
            case .open: continue
            }
        }
        throw PostgresError.outcomeUnknown("transaction \(number) could not be looked up")
    }

    private enum Fate { case committed, undone, doubtful, open }

    private func fate(of number: Int64, inLife life: String) async -> Fate {
        do {
            let (rows, isSameLife) = try await withConnection { connection in
                // A standby doesn't know yet.
                let look: SQL = "select pg_xact_status((\(number)::text)::xid8) as status where not pg_is_in_recovery()"
                return (try await connection.query(look), connection.serverLife == life)
            }
            let status: String? = try rows.first?["status"]
            switch status {
            case "committed": return isSameLife ? .committed : .doubtful
            case "aborted": return .undone
            default: return .open
            }
        } catch let error as PostgresError where error.state == Pool.notGivenYet {
            return .undone
        } catch {
            return .open
        }
    }

    /// What the server says of a number that it has not given yet: it was forgotten in a crash, with its transaction.
    private static let notGivenYet = "22023"
}

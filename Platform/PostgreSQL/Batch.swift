import CPostgres

/// What a prepared statement is kept by: the same text means another one for values of other types.
struct StatementKey: Hashable {
    let text: String
    let types: [UInt32]

    init(_ statement: SQL) { (text, types) = (statement.text, statement.parameters.types) }
}

/// Statements that travel together and share one synchronisation point; the first failure skips the rest.
///
/// `@unchecked Sendable`: after its hand-over it is touched by the I/O loop's thread alone.
final class Batch: @unchecked Sendable {
    /// What a broken connection means for it.
    enum Effect: Sendable {
        /// It reads, or a later commit decides: nothing took effect.
        case none
        /// It commits: it may have taken effect.
        case commits
    }

    /// What an answer changes about the connection's prepared statements.
    enum Change {
        case prepared(StatementKey, name: String)
        /// Its plan doesn't fit any more, since a table has changed.
        case stale(StatementKey)
    }

    enum Step {
        case prepare(StatementKey, name: String)
        case execute(statement: Int)
    }

    let statements: [SQL]
    let effect: Effect
    let deadline: ContinuousClock.Instant
    private let continuation: UnsafeContinuation<[Rows], any Error>
    private var steps: [Step] = []
    private var position = 0
    private var results: [Rows] = []
    private var failure: PostgresError?

    init(
        _ statements: [SQL],
        effect: Effect,
        deadline: ContinuousClock.Instant,
        continuation: UnsafeContinuation<[Rows], any Error>
    ) {
        (self.statements, self.effect, self.deadline) = (statements, effect, deadline)
        self.continuation = continuation
        steps.reserveCapacity(statements.count)
        results.reserveCapacity(statements.count)
    }

    func add(_ step: Step) { steps.append(step) }

    /// Takes one result of the step that is being answered; answers with what it changes.
    func take(_ result: OpaquePointer, status: ExecStatusType) -> Change? {
        guard position < steps.count else {
            PQclear(result)
            return nil
        }
        let step = steps[position]
        switch status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            if case .prepare(let key, let name) = step {
                PQclear(result)
                return .prepared(key, name: name)
            }
            results.append(Rows(result))
        default:
            defer { PQclear(result) }
            guard status == PGRES_FATAL_ERROR, failure == nil else { return nil }
            let refusal = PostgresError.Refusal(result, statement: text(of: step))
            failure = .refused(refusal)
            // feature_not_supported: "cached plan must not change result type".
            if case .execute(let statement) = step, refusal.state == "0A000" {
                return .stale(StatementKey(statements[statement]))
            }
        }
        return nil
    }

    /// Goes on to the next step; false where none is left.
    func stepIsDone() -> Bool {
        position += 1
        return position <= steps.count
    }

    func finish() {
        if let failure {
            continuation.resume(throwing: failure)
        } else if results.count == statements.count {
            continuation.resume(returning: results)
        } else {
            continuation.resume(
                throwing: PostgresError.connectionLost("\(results.count) results of \(statements.count)")
            )
        }
    }

    /// Ends it because the connection broke.
    func fail(_ message: String) {
        // A server that ends the session after the last statement's answer has already done what a `commit` asked for.
        let mayHaveCommitted = effect == .commits && results.count == statements.count
        if let failure, !mayHaveCommitted {
            continuation.resume(throwing: failure)
        } else {
            continuation.resume(
                throwing: effect == .commits
                    ? PostgresError.outcomeUnknown(message) : PostgresError.connectionLost(message)
            )
        }
    }

    /// Ends it because the connection was broken before it could be sent.
    func failUnsent(_ message: String) { continuation.resume(throwing: PostgresError.connectionLost(message)) }

    private func text(of step: Step) -> String {
        switch step {
        case .prepare(let key, _): key.text
        case .execute(let statement): statements[statement].text
        }
    }
}

extension PostgresError.Refusal {
    init(_ result: OpaquePointer, statement: String) {
        func field(_ code: UnicodeScalar) -> String {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) } ?? ""
        }
        // The letters are PG_DIAG_SQLSTATE, _MESSAGE_PRIMARY, _MESSAGE_DETAIL, _CONSTRAINT_NAME, _STATEMENT_POSITION
        // of postgres_ext.h.
        self.init(
            state: field("C"),
            message: field("M"),
            detail: field("D"),
            constraint: field("n"),
            statement: statement,
            position: Int(field("P"))
        )
    }
}

public import Kernel
public import PostgreSQL
import Traces

/// An operation for the ledger with everything that is to be stored with it.
public struct LedgerItem: Sendable {
    /// What the ledger decided.
    public typealias Decision = Result<LedgerCore.Receipt, LedgerRefusal>

    /// What is stored beside the ledger's own rows, once the ledger has decided.
    public struct Finish: Sendable {
        /// Rows of the domain: its entities, status history, audit, events.
        public var rows: [any StoredRow]
        /// What the caller is answered, kept under the idempotency key; nil keeps nothing.
        public var answer: StoredAnswer?

        /// Rows and an answer.
        public init(rows: [any StoredRow] = [], answer: StoredAnswer? = nil) {
            (self.rows, self.answer) = (rows, answer)
        }
    }

    /// What it is about; transfers and reservations carry it.
    public let operation: ID<Operation>
    /// All or none of them is done.
    public let commands: [LedgerCommand]
    /// The client's key, if the request came with one.
    public let idempotency: IdempotencyKey?
    /// The trace in which it was asked for.
    let trace: TraceParent?
    /// Called between decision and storing, possibly more than once; must be pure and quick.
    public let finish: @Sendable (Decision, Timestamp) -> Finish

    /// An operation; `finish` turns the decision into what is stored with it, a refusal's rows included.
    public init(
        operation: ID<Operation>,
        commands: [LedgerCommand],
        idempotency: IdempotencyKey? = nil,
        finish: @escaping @Sendable (Decision, Timestamp) -> Finish = { _, _ in Finish() }
    ) {
        (self.operation, self.commands) = (operation, commands)
        (self.idempotency, self.finish, trace) = (idempotency, finish, Traces.current)
    }
}

/// What became of an item; all of it is committed.
public enum LedgerOutcome: Sendable {
    /// It was done.
    case done(LedgerCore.Receipt, StoredAnswer?)
    /// The ledger refused it; the refusal's answer is kept under the key.
    case refused(LedgerRefusal, StoredAnswer?)
    /// The key was used before with the same request: the answer given then. Nothing was done.
    case replayed(StoredAnswer)
    /// The key was used before with another request. Nothing was done.
    case keyReused
}

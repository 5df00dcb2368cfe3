public import HTTP
public import Kernel
public import PostgreSQL

/// A kind of thing that takes two people: how it is checked, and how it is done.
public struct ApprovalKind: Sendable {
    /// What is done with an approved proposal, besides what `execute` has sent already.
    public struct Execution: Sendable {
        /// What came of it.
        public let result: JSON
        /// Statements and rows that are stored with the commit.
        public let statements: [SQL]
        /// Rows of the platform's schema that are stored with the commit.
        public let rows: [any StoredRow]

        /// An execution.
        public init(_ result: JSON, statements: [SQL] = [], rows: [any StoredRow] = []) {
            (self.result, self.statements, self.rows) = (result, statements, rows)
        }
    }

    /// What was done elsewhere although the proposal doesn't say so: its own commit failed after that.
    public struct Done: Sendable {
        /// What came of it.
        public let result: JSON
        /// Who approved it; never who proposed it.
        public let approver: ID<User>

        /// What was done.
        public init(_ result: JSON, by approver: ID<User>) { (self.result, self.approver) = (result, approver) }
    }

    /// Its name: `role.grant`.
    public let name: String
    /// What who proposes it and who approves it must be permitted.
    public let permission: Permission
    /// What is to be done, in words, for the list of kinds.
    public let summary: String
    /// The form of its payload.
    public let payload: JSONSchema
    let prepare: @Sendable (JSON) async throws -> JSON
    let done: (@Sendable (Approval) async throws -> Done?)?
    let execute: @Sendable (Approval, Initiative, Transaction) async throws -> Execution
    let afterwards: @Sendable (Approval) async -> Void

    /// Who approves, and from where.
    public struct Initiative: Sendable {
        /// Who approves.
        public let approver: Principal
        /// The request.
        public let request: APIRequest
    }

    /// A kind.
    ///
    /// - Parameters:
    ///   - name: two words or more with dots between them.
    ///   - permission: what both people must be permitted.
    ///   - summary: what is to be done.
    ///   - payload: the form that proposals must have.
    ///   - prepare: refuses what can't be done, as far as can be known now, and completes the payload.
    ///   - done: finds out whether it was done elsewhere than on the platform's pool, where `execute` does so; asked
    ///     before a proposal is decided on or expires.
    ///   - execute: does it in the transaction in which it is marked as done, on the platform's pool. It can still
    ///     refuse; then nothing is stored and the proposal stays.
    ///   - afterwards: called after the commit, as to forget what is kept in memory.
    public init(
        _ name: String,
        permission: Permission,
        summary: String,
        payload: JSONSchema,
        prepare: @escaping @Sendable (JSON) async throws -> JSON = { $0 },
        done: (@Sendable (Approval) async throws -> Done?)? = nil,
        execute: @escaping @Sendable (Approval, Initiative, Transaction) async throws -> Execution,
        afterwards: @escaping @Sendable (Approval) async -> Void = { _ in }
    ) {
        (self.name, self.permission, self.summary, self.payload) = (name, permission, summary, payload)
        (self.prepare, self.done, self.execute, self.afterwards) = (prepare, done, execute, afterwards)
    }
}

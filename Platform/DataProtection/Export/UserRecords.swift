public import Kernel
public import PostgreSQL

/// The port to what a domain, or a part of the platform, stores about users.
public protocol UserRecords: Sendable {
    /// What can be exported, and what becomes of each part when the user is erased.
    var sections: [RecordSection] { get }

    /// What stands against erasing a user now: money, open cases, work under way.
    func obstacles(to user: ID<User>) async throws -> [ErasureObstacle]

    /// Does what has to be done before a user is erased, so that nothing new comes in; doing it twice does no harm.
    func close(_ user: ID<User>, by requester: Requester) async throws

    /// What is removed of a user by statements of schema `platform`, in the transaction that destroys the user's key.
    ///
    /// A domain removes what is its own when it hears `platform.user.erased`.
    func removals(of user: ID<User>, at now: Timestamp) async throws -> [Removal]

    /// Is called once a user has been erased, to forget what is remembered in memory.
    func didErase(_ user: ID<User>)
}

extension UserRecords {
    /// None.
    public func obstacles(to user: ID<User>) async throws -> [ErasureObstacle] { [] }
    /// Nothing.
    public func close(_ user: ID<User>, by requester: Requester) async throws {}
    /// None.
    public func removals(of user: ID<User>, at now: Timestamp) async throws -> [Removal] { [] }
    /// Nothing.
    public func didErase(_ user: ID<User>) {}
}

/// A statement that removes something of a user, and what that is.
public struct Removal: Sendable {
    /// What is removed, for the receipt: `identity.sessions`.
    public let what: String
    /// The statement, a delete or an update; the rows that it touches are counted.
    public let statement: SQL

    /// A removal.
    public init(_ what: String, _ statement: SQL) { (self.what, self.statement) = (what, statement) }
}

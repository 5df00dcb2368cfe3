public import Kernel
public import PostgreSQL

/// An order to keep what is about a user, or a table, whatever the policies say.
public struct LegalHold: Entity, Hashable, Sendable {
    /// `hld_…`.
    public static let idPrefix = "hld"

    /// What is held.
    public enum Subject: Hashable, Sendable {
        /// All that is stored about a user.
        case user(ID<User>)
        /// A table as a whole.
        case table(String, in: Schema)
    }

    /// Its id.
    public let id: ID<LegalHold>
    /// What is held.
    public let subject: Subject
    /// Why, 1 to 500 characters.
    public let reason: String
    /// Who placed it, in words of the audit log.
    public let placedBy: String
    /// When.
    public let placedAt: Timestamp

    /// A hold.
    public init(id: ID<LegalHold>, on subject: Subject, because reason: String, by actor: String, at now: Timestamp) {
        (self.id, self.subject, self.reason, placedBy, placedAt) = (id, subject, reason, actor, now)
    }

    init(_ row: Row) throws {
        let (user, schema, table): (ID<User>?, String?, String?) = (try row[1], try row[2], try row[3])
        if let user {
            subject = .user(user)
        } else if let schema = schema.flatMap({ Schema($0) }), let table {
            subject = .table(table, in: schema)
        } else {
            throw DecodingFailure.unrepresentable("a hold on nothing")
        }
        (id, reason, placedBy, placedAt) = (try row[0], try row[4], try row[5], try row[6])
    }

    var user: ID<User>? { if case .user(let user) = subject { user } else { nil } }

    var table: (schema: String?, name: String?) {
        if case .table(let name, let schema) = subject { (schema.name, name) } else { (nil, nil) }
    }
}

public import Kernel
public import PostgreSQL

/// A letter to a user because of what happened: stored with it, and handed over to the mail system after the commit.
public struct PendingLetter: Sendable, Hashable {
    /// What it is about.
    public enum Kind: String, Sendable, CaseIterable {
        /// What the user was identified by is soon out of date.
        case identityExpiring = "identity_expiring"
        /// What the user was identified by is out of date.
        case identityExpired = "identity_expired"
        /// Cases of compliance are overdue, of which the user is an officer.
        case casesOverdue = "cases_overdue"
    }

    let kind: Kind
    let expiresAt: Timestamp

    /// A letter about what ends, has ended, or was to be done at an instant.
    public init(_ kind: Kind, expiresAt: Timestamp) { (self.kind, self.expiresAt) = (kind, expiresAt) }

    /// The message; it holds nothing of what the user was identified by.
    func mail(to user: UserRecord) -> Mail {
        let day = expiresAt.description.prefix(10)
        return switch kind {
        case .identityExpiring:
            Mail(
                to: user.email,
                subject: "Identify yourself anew",
                text: """
                    @\(user.username), what you identified yourself by is out of date on \(day). Identify yourself \
                    anew in the app before then, and your limits stay as they are.
                    """
            )
        case .identityExpired:
            Mail(
                to: user.email,
                subject: "Your limits are lower now",
                text: """
                    @\(user.username), what you identified yourself by is out of date since \(day). Until you identify \
                    yourself anew in the app, your limits are those of somebody who isn't known.
                    """
            )
        case .casesOverdue:
            Mail(
                to: user.email,
                subject: "Compliance cases are overdue",
                text: """
                    @\(user.username), cases that were due on \(day) aren't closed. They are open to all officers \
                    again: see the queue.
                    """
            )
        }
    }
}

extension PendingLetter.Kind: SQLEncodable, SQLDecodable {}

/// Table `pending_letters`.
struct PendingLetterRow: StoredRow {
    let id: ID<PendingLetterRow>
    let user: ID<User>
    let letter: PendingLetter

    static func store(_ rows: [PendingLetterRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).pending_letters (id, user_id, kind, expires_at, due_at)
            select n.*, \(instant)
            from unnest(\(rows.map(\.id)), \(rows.map(\.user)), \(rows.map(\.letter.kind)),
                \(rows.map(\.letter.expiresAt))) n
            returning 1
            """
        ]
    }
}

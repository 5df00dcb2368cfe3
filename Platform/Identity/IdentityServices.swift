import DataProtection
import HTTP
import Kernel
import Messaging
import Metrics
import PostgreSQL

/// What the use cases of identity share.
struct IdentityServices: Sendable {
    let pool: Pool
    let users: Users
    let attempts: LoginAttempts
    let passwords: Passwords
    let tokens: AccessTokens
    let sessions: LiveSessions
    let keys: LiveKeys
    let directory: UserDirectory
    let journal: IdentityJournal
    let personalData: PersonalValues
    let letters: LetterBox
    let policy: IdentityPolicy
    let ids: IDGenerator
    let clock: any WallClock
    let outbox: WorkSignal?
    let signIns: SignInMetrics

    /// Where it is noted what staff read of users.
    var staffReads: StaffReads { StaffReads(pool: pool, ids: ids, clock: clock) }

    /// Ends a transaction with what tells of it: the rows' statements travel with the commit.
    func closing<Answer: Sendable>(
        _ answer: Answer,
        _ statements: [SQL],
        _ rows: [any StoredRow],
        at now: Timestamp
    ) -> Closing<Answer> {
        Closing(answer, last: statements + rows.statements(in: .platform, at: now))
    }

    /// Stores rows that tell of something that changed nothing, as a refused sign-in.
    func note(_ rows: [any StoredRow], at now: Timestamp) async throws {
        try await pool.transact { _ in Closing((), last: rows.statements(in: .platform, at: now)) }
    }
}

/// How sign-ins end.
struct SignInMetrics: Sendable {
    private let succeeded = Counter(label: "identity_sign_ins_total", dimensions: [("outcome", "succeeded")])
    private let refused = Counter(label: "identity_sign_ins_total", dimensions: [("outcome", "refused")])
    private let locked = Counter(label: "identity_sign_ins_total", dimensions: [("outcome", "locked")])
    private let reuses = Counter(label: "identity_refresh_token_reuses_total")

    func succeed() { succeeded.increment() }
    func refuse() { refused.increment() }
    func lock() { locked.increment() }
    func reuse() { reuses.increment() }
}

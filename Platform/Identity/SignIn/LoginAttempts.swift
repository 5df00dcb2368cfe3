import Cryptography
import Kernel
import PostgreSQL

/// Table `login_attempts`: who has tried too often.
///
/// Sign-ins count by the address that was typed, known or not, so that a lock says nothing about who is a user.
struct LoginAttempts: Sendable {
    /// What is guessed at.
    enum Subject: Sendable, Hashable {
        /// The password of an address.
        case signIn(Email)
        /// The code of a user's second factor.
        case secondFactor(ID<User>)

        /// What it is kept by.
        fileprivate var digest: Bytes {
            switch self {
            case .signIn(let email): Bytes(SHA256Digest.of(Array(email.text.utf8)))
            case .secondFactor(let user): Bytes(SHA256Digest.of(Array("second factor \(user)".utf8)))
            }
        }
    }

    /// What `begin` says.
    enum Admission: Sendable, Hashable {
        /// The attempt may be made; it counts as a failure until `succeed` is part of a transaction.
        case admitted
        /// Nothing may be tried for so many seconds.
        case locked(seconds: Int)
    }

    let pool: Pool
    let policy: LockoutPolicy

    /// Counts an attempt before it is made, so that guesses made at the same time can't outrun the count.
    ///
    /// What doesn't lock leaves no instant behind: another process's clock may be a little later than ours.
    func begin(_ subject: Subject, at now: Timestamp) async throws -> Admission {
        let (subject, seconds) = (subject.digest, policy.table)
        let forgotten = now.adding(seconds: -policy.forgetSeconds)
        let rows = try await pool.query(
            """
            with attempt as (
                insert into platform.login_attempts as a (subject, failures, locked_until, last_at)
                values (\(subject), 1, \(now) + make_interval(secs => nullif((\(seconds))[1], 0)), \(now))
                on conflict (subject) do update
                set failures = case when a.last_at < \(forgotten) then 1 else a.failures + 1 end,
                    locked_until = \(now) + make_interval(secs => nullif((\(seconds))[
                        case when a.last_at < \(forgotten) then 1
                            else least(a.failures + 1, \(seconds.count)) end], 0)),
                    last_at = \(now)
                where a.locked_until is null or a.locked_until <= \(now)
                returning failures
            )
            select exists (select from attempt) as is_admitted,
                (select locked_until from platform.login_attempts where subject = \(subject)) as locked_until
            """
        )
        guard try !(rows[0]["is_admitted"] as Bool) else { return .admitted }
        // The subselect sees the row as it was when the statement began; a lock set since then is told as a second.
        let lockedUntil: Timestamp? = try rows[0]["locked_until"]
        let waitSeconds = lockedUntil?.secondsSince(now).rounded(.up) ?? 1
        return .locked(seconds: max(1, Int(waitSeconds)))
    }

    /// Takes an attempt back that wasn't made after all, since nothing was there to check the password.
    func withdraw(_ subject: Subject) async throws {
        _ = try await pool.query(
            """
            update platform.login_attempts
            set failures = greatest(failures - 1, 0), locked_until = null
            where subject = \(subject.digest)
            """
        )
    }

    /// The statement that forgets the failures, since the guess was right.
    static func succeed(_ subject: Subject) -> SQL {
        "delete from platform.login_attempts where subject = \(subject.digest)"
    }

    /// Deletes what is forgotten anyway, at most `limit` rows, and answers how many they were.
    func sweep(at now: Timestamp, limit: Int) async throws -> Int {
        try await pool.query(
            """
            delete from platform.login_attempts
            where subject in (
                select subject
                from platform.login_attempts
                where last_at < \(now.adding(seconds: -policy.forgetSeconds))
                limit \(limit)
                for update skip locked
            )
            """
        ).affected
    }
}

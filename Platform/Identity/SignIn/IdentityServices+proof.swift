import HTTP
import Kernel

extension IdentityServices {
    /// Has a signed-in user prove that it is still the one with the password.
    ///
    /// It counts as an attempt until `LoginAttempts.succeed` is part of a transaction, or it is withdrawn.
    /// - Throws: `wrongPassword`, which is kept in the audit log under `action`, `signInLocked`, `hashingUnavailable`.
    func prove(
        _ password: String,
        of user: UserRecord,
        _ email: Email,
        refusedAs action: String,
        by origin: Origin
    ) async throws {
        let now = clock.now()
        if case .locked(let seconds) = try await attempts.begin(.signIn(email), at: now) {
            throw IdentityProblem.signInLocked(seconds: seconds)
        }
        let isRight: Bool
        do {
            isRight = try await passwords.check(password, of: user)
        } catch {
            try await attempts.withdraw(.signIn(email))
            throw error
        }
        guard isRight else {
            try await note([journal.audit(action, user: user.id, by: origin)], at: now)
            throw IdentityProblem.wrongPassword
        }
    }
}

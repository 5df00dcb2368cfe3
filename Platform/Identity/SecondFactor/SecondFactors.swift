import Cryptography
import DataProtection
import HTTP
import Kernel
import PostgreSQL

/// A set-up of an authenticator app.
enum SecondFactor: Entity {
    /// `tfa_…`; shown nowhere.
    static let idPrefix = "tfa"
}

/// Second factors of users: codes of an authenticator app (RFC 6238), and recovery codes on paper.
///
/// A code opens once: the step that was used is kept, and a code of it or before it doesn't count any more, whoever
/// else sends it at the same time. Guesses are counted before they are made and lock like failed sign-ins.
struct SecondFactors: Sendable {
    /// What an authenticator app needs.
    struct Enrolment: Sendable {
        let secret: String
        let uri: String
    }

    /// Steps of 30 s before and after the present one whose codes count, as clocks of phones differ.
    private static let driftSteps = 1
    private static let issuer = "diBoaS"

    let services: IdentityServices

    /// Begins to set up a factor: a new secret, which counts once a code of it has confirmed it.
    ///
    /// It takes the password, so that a stolen session alone can't set up the thief's own.
    /// - Throws: `twoFactorAlreadyOn`, `wrongPassword`, `signInLocked`.
    func enrol(_ principal: Principal, password: String, by origin: Origin) async throws -> Enrolment {
        guard let user = try await services.users.find(principal.user), let email = Email(user.email) else {
            throw Problem.notFound
        }
        try await services.prove(password, of: user, email, refusedAs: "user.two_factor_refused", by: origin)
        let now = services.clock.now()
        let secret = TOTP.makeSecret()
        let item = services.ids.next(SecondFactor.self).value
        let sealed = [PersonalValue(.secondFactor, item: item, bytes: secret)]
        try await services.personalData.store(sealed, of: user.id) { transaction in
            let stored = try await transaction.query(SecondFactorRows.enrol(user.id, secret: item, at: now))
            guard !stored.isEmpty else { throw IdentityProblem.twoFactorAlreadyOn }
            let entry = services.journal.audit("user.two_factor_begun", user: user.id, by: origin)
            let statements = [
                PersonalValues.removal(of: [.secondFactor], but: item, of: user.id),
                LoginAttempts.succeed(.signIn(email)),
            ]
            return services.closing((), statements, [entry], at: now)
        }
        let totp = TOTP(secret: secret)
        let uri = totp.provisioningURI(issuer: SecondFactors.issuer, account: user.email)
        return Enrolment(secret: totp.secretText, uri: uri)
    }

    /// Confirms a factor by its first code, which steps the session up, and answers with recovery codes.
    ///
    /// - Throws: `twoFactorOff` when none was begun, `twoFactorAlreadyOn`, `wrongCode`, `codeLocked`.
    func confirm(_ principal: Principal, code: String, by origin: Origin) async throws -> [String] {
        let codes = (0..<RecoveryCode.count).map { _ in RecoveryCode() }
        try await use(code, of: principal, "user.two_factor_on", by: origin, isNew: true) { user, now in
            SecondFactorRows.replace(with: codes, of: user)
                + services.stepUp(principal, until: now.adding(seconds: services.policy.stepUpSeconds))
        }
        await services.forget(principal)
        return codes.map(\.text)
    }

    /// Proves the factor: the session may do for some minutes what needs it.
    ///
    /// - Returns: until when.
    /// - Throws: `twoFactorOff`, `wrongCode`, `codeLocked`.
    func stepUp(_ principal: Principal, code: String, by origin: Origin) async throws -> Timestamp {
        let until = services.clock.now().adding(seconds: services.policy.stepUpSeconds)
        try await use(code, of: principal, "session.stepped_up", by: origin) { _, _ in
            services.stepUp(principal, until: until)
        }
        await services.forget(principal)
        return until
    }

    /// Puts new recovery codes in the place of all others.
    ///
    /// - Throws: `twoFactorOff`, `wrongCode`, `codeLocked`.
    func renewRecoveryCodes(_ principal: Principal, code: String, by origin: Origin) async throws -> [String] {
        let codes = (0..<RecoveryCode.count).map { _ in RecoveryCode() }
        try await use(code, of: principal, "user.recovery_codes_renewed", by: origin) { user, _ in
            SecondFactorRows.replace(with: codes, of: user)
        }
        return codes.map(\.text)
    }

    /// Removes the factor, and what it opened: no session is stepped up any more, and the user's API keys end.
    ///
    /// - Throws: `twoFactorOff`, `wrongCode`, `codeLocked`.
    func disable(_ principal: Principal, code: String, by origin: Origin) async throws {
        try await use(code, of: principal, "user.two_factor_off", by: origin) { user, now in
            SecondFactors.removal(of: user, at: now)
        }
        await services.forget(principal)
    }

    /// The statements that remove a factor and what it opened.
    static func removal(of user: ID<User>, at now: Timestamp) -> [SQL] {
        [
            SecondFactorRows.remove(user),
            PersonalValues.removal(of: [.secondFactor, .apiKey], of: user),
            "update platform.sessions set stepped_up_until = null where user_id = \(user) and revoked_at is null",
            "update platform.api_keys set revoked_at = \(now) where user_id = \(user) and revoked_at is null",
        ]
    }

    /// Uses a code up and does what it is for, in one transaction.
    private func use(
        _ code: String,
        of principal: Principal,
        _ action: String,
        by origin: Origin,
        isNew: Bool = false,
        _ work: @Sendable (ID<User>, Timestamp) -> [SQL]
    ) async throws {
        let (user, now) = (principal.user, services.clock.now())
        if case .locked(let seconds) = try await services.attempts.begin(.secondFactor(user), at: now) {
            throw IdentityProblem.codeLocked(seconds: seconds)
        }
        let isUsed: Bool
        do {
            // Opened before anything is held, as a key management service may be slow.
            let known = try await secret(of: user)
            isUsed = try await services.pool.transact { transaction in
                let factor = try await SecondFactors.factor(of: user, isNew: isNew, in: transaction)
                guard let known, known.item == factor.secret,
                    let use = statement(for: code, of: user, factor, TOTP(secret: known.bytes), at: now),
                    try await !transaction.query(use).isEmpty
                else {
                    let entry = services.journal.audit("user.code_refused", user: user, by: origin)
                    return services.closing(false, [], [entry], at: now)
                }
                let entry = services.journal.audit(action, user: user, by: origin)
                let statements = work(user, now) + [LoginAttempts.succeed(.secondFactor(user))]
                return services.closing(true, statements, [entry], at: now)
            }
        } catch {
            // Nothing was guessed.
            try await services.attempts.withdraw(.secondFactor(user))
            throw error
        }
        guard isUsed else { throw IdentityProblem.wrongCode }
    }

    private func secret(of user: ID<User>) async throws -> (item: UInt128, bytes: [UInt8])? {
        guard let item = try await SecondFactorRows.find(user, services.pool)?.secret else { return nil }
        let place = PersonalValues.Place(user, item: item)
        return try await services.personalData.secrets(.secondFactor, at: [place])[place].map { (item, $0) }
    }

    private static func factor(
        of user: ID<User>,
        isNew: Bool,
        in transaction: Transaction
    ) async throws -> SecondFactorRows.Factor {
        guard let factor = try await SecondFactorRows.lock(user, in: transaction) else {
            throw IdentityProblem.twoFactorOff
        }
        guard (factor.confirmedAt == nil) == isNew else {
            throw isNew ? IdentityProblem.twoFactorAlreadyOn : .twoFactorOff
        }
        return factor
    }

    /// The statement that uses a code up; nil for a code that isn't right.
    ///
    /// A new factor takes none but the app's.
    private func statement(
        for code: String,
        of user: ID<User>,
        _ factor: SecondFactorRows.Factor,
        _ totp: TOTP,
        at now: Timestamp
    ) -> SQL? {
        if factor.confirmedAt != nil, let recovery = RecoveryCode(code) {
            return SecondFactorRows.use(recovery, of: user, at: now)
        }
        let step = totp.matchingStep(
            of: code,
            at: now,
            driftSteps: SecondFactors.driftSteps,
            after: factor.lastStep
        )
        return step.map { SecondFactorRows.use(step: $0, of: user, at: now) }
    }
}

extension IdentityServices {
    /// The statement that lets a principal's session do what needs a second factor; none for a caller without session.
    fileprivate func stepUp(_ principal: Principal, until instant: Timestamp) -> [SQL] {
        guard let session = principal.sessionID.flatMap({ ID<Session>(uuid: $0) }) else { return [] }
        return [
            """
            update platform.sessions
            set stepped_up_until = \(instant)
            where id = \(session) and user_id = \(principal.user) and revoked_at is null
            """
        ]
    }

    /// Has the next request of a principal's session read anew what it may.
    fileprivate func forget(_ principal: Principal) async {
        guard let session = principal.sessionID.flatMap({ ID<Session>(uuid: $0) }) else { return }
        await sessions.forget(SessionPlace(session, of: principal.user))
    }
}

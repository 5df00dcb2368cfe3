import DataProtection
import HTTP
import Kernel
import Messaging
import PostgreSQL

/// What users change about themselves.
struct Profiles: Sendable {
    /// What is to be different; nil stays.
    struct Change: Sendable {
        var username: String?
        /// Another name ends what the user was identified by.
        var name: String?
        /// Kept as private data; `.some(nil)` removes it.
        var phone: String??
        /// Members that replace those of the same name; null removes one.
        var preferences: JSON?
        var mascot: Mascot?
        var experienceLevel: ExperienceLevel?
        var enabledDomains: [EnabledDomain]?
        /// Whether the version that the client has seen is the present one.
        let check: @Sendable (UserRecord) throws -> Void
    }

    let services: IdentityServices

    /// Changes a user's profile and answers with it; a change to what is there already changes nothing.
    ///
    /// - Throws: `usernameTaken`; `verificationNotOpen` for another name while an application is looked at; 410
    ///   `erased`; or what the change's check throws.
    func change(_ id: ID<User>, _ change: Change, by origin: Origin) async throws -> UserRecord {
        if let username = change.username, Username.isReserved(username) { throw IdentityProblem.usernameTaken }
        let now = services.clock.now()
        let before: UserRecord
        let after: UserRecord
        do {
            let step = ProfileStep(change, of: id, by: origin, services, at: now)
            if let phone = change.phone {
                let values = [PersonalValue(.phone, phone)]
                (before, after) = try await services.personalData.store(values, of: id) { try await step.take(in: $0) }
            } else {
                (before, after) = try await services.pool.transact { try await step.take(in: $0) }
            }
        } catch let error as PostgresError where error.violates("users_username_unique") {
            throw IdentityProblem.usernameTaken
        }
        if after.version != before.version {
            services.directory.forget(before)
            services.directory.forget(after)
            if after.kycStatus != before.kycStatus { services.outbox?.raise() }
        }
        return after
    }

    /// Sets a new password, given the present one, and ends the user's other sessions.
    ///
    /// Wrong guesses count like failed sign-ins.
    /// - Throws: `wrongPassword`, `passwordUnchanged`, `weakPassword`, `signInLocked`, `hashingUnavailable`.
    func changePassword(_ principal: Principal, from old: String, to new: String, by origin: Origin) async throws {
        guard let user = try await services.users.find(principal.user), let email = Email(user.email) else {
            throw Problem.notFound
        }
        try await services.prove(old, of: user, email, refusedAs: "user.password_change_refused", by: origin)
        guard old != new else {
            try await services.attempts.withdraw(.signIn(email))
            throw IdentityProblem.passwordUnchanged
        }
        let hash: String
        do {
            hash = try await services.passwords.set(new, email: email, username: user.username)
        } catch {
            try await services.attempts.withdraw(.signIn(email))
            throw error
        }
        try await store(hash, insteadOf: user, email, keeping: origin.session, by: origin)
    }

    private func store(
        _ hash: String,
        insteadOf checked: UserRecord,
        _ email: Email,
        keeping session: ID<Session>?,
        by origin: Origin
    ) async throws {
        let now = services.clock.now()
        let ended = try await services.pool.transact { transaction in
            guard var user = try await services.users.lock(checked.id, in: transaction),
                user.passwordHash == checked.passwordHash
            else { throw IdentityProblem.wrongPassword }
            user.passwordHash = hash
            user.touch(at: now)
            let ended = try await transaction.query(
                SessionRows.revokeAll(of: user.id, but: session, .passwordChanged, at: now)
            )
            let entry = services.journal.audit(
                "user.password_changed",
                user: user.id,
                by: origin,
                after: ["sessions_ended": .integer(ended.count)]
            )
            return services.closing(
                try ended.map { try $0[0] as ID<Session> },
                [Users.update(user), LoginAttempts.succeed(.signIn(email))],
                [entry],
                at: now
            )
        }
        await services.sessions.end(ended, of: checked.id)
    }
}

extension UserRecord {
    /// What a user can change, for the audit log.
    var changeable: JSON {
        [
            "username": .string(username), "name": name.map { .string($0) } ?? .null, "preferences": preferences,
            "mascot": .string(mascot.rawValue),
            "experience_level": .string(experienceLevel.rawValue),
            "enabled_domains": .array(enabledDomains.map { .string($0.rawValue) }),
        ]
    }
}

extension JSON {
    /// This object with the members of another one in the place of its own; those that are null there are left out.
    func merging(_ other: JSON) -> JSON {
        guard case .object(let mine) = self, case .object(let theirs) = other else { return other }
        let kept = mine.filter { other[$0.name] == nil }
        return .object(kept + theirs.filter { $0.value != .null })
    }
}

import Audit
import DataProtection
import HTTP
import Kernel
import Messaging
import PostgreSQL

/// What identity stores about users: shown in their export, and emptied when they are erased.
struct IdentityRecords: UserRecords {
    let services: IdentityServices

    var sections: [RecordSection] { person + credentials + evidence }

    private var person: [RecordSection] {
        let pool = services.pool
        return [
            RecordSection("identity.user", .erased, in: pool) {
                // The hash of the password is nobody's to see.
                """
                select id, to_jsonb(u) - 'password_hash' from platform.users u
                where id = \($0) and id > \($1)
                limit \($2)
                """
            },
            RecordSection("identity.roles", .erased) { user, after, _ in
                guard after == 0 else { return [] }
                let grants = try await services.users.grants(user)
                return [(id: 1, json: ["roles": .array(grants.roles.map { .string($0) })])]
            },
            RecordSection("identity.sessions", .erased, in: pool) {
                """
                select id, to_jsonb(s) from platform.sessions s
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
        ]
    }

    private var credentials: [RecordSection] {
        let pool = services.pool
        return [
            RecordSection("identity.second_factors", .erased, in: pool) {
                // That there is one, not the secret.
                """
                select user_id, jsonb_build_object('kind', 'totp', 'since', created_at)
                from platform.second_factors
                where user_id = \($0) and user_id > \($1)
                limit \($2)
                """
            },
            RecordSection("identity.api_keys", .erased, in: pool) {
                """
                select id, jsonb_build_object('label', label, 'algorithm', algorithm, 'scopes', scopes,
                    'addresses', addresses, 'created_at', created_at, 'expires_at', expires_at,
                    'revoked_at', revoked_at, 'last_used_at', last_used_at)
                from platform.api_keys
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
        ]
    }

    private var evidence: [RecordSection] {
        let pool = services.pool
        return [
            RecordSection(
                "identity.audit",
                .kept(because: "Evidence of who did what, for 7 years."),
                in: pool
            ) {
                """
                select id, jsonb_build_object('at', recorded_at, 'action', action, 'before', before, 'after', after,
                    'ip', ip, 'user_agent', user_agent)
                from platform.audit_log_all
                where entity = 'user' and entity_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            }
        ]
    }

    func close(_ user: ID<User>, by requester: Requester) async throws {
        let (now, journal) = (services.clock.now(), services.journal)
        let origin = Origin(system: requester.actor, correlation: services.ids.next(Session.self).value)
        let closed = try await services.pool.transact { transaction -> Closing<UserRecord?> in
            guard var record = try await services.users.lock(user, in: transaction) else { throw Problem.notFound }
            guard record.status != .closed else { return Closing(nil) }
            let from = record.status
            record.status = .closed
            record.touch(at: now)
            let change: [JSON.Member] = [
                JSON.Member("from", .string(from.rawValue)), JSON.Member("to", .string("closed")),
            ]
            let event = journal.event("platform.user.status_changed", &record, payload: change, by: origin)
            let audit = journal.audit("user.status_changed", user: user, by: origin, after: ["status": "closed"])
            let history = journal.status("user", record, from: from.rawValue, to: "closed", reason: "erasure")
            return services.closing(record, [Users.update(record)], [history, event, audit], at: now)
        }
        if let closed { services.directory.forget(closed) }
    }

    func removals(of user: ID<User>, at now: Timestamp) async throws -> [Removal] {
        guard let record = try await services.users.find(user) else { return [] }
        var removals = [
            Removal("identity.user", IdentityRecords.emptying(user)),
            Removal("identity.sessions", "delete from platform.sessions where user_id = \(user)"),
            Removal("identity.login_attempts", LoginAttempts.succeed(.secondFactor(user))),
            Removal("identity.second_factors", "delete from platform.second_factors where user_id = \(user)"),
            Removal("identity.api_keys", "delete from platform.api_keys where user_id = \(user)"),
            Removal("identity.email_tokens", "delete from platform.email_tokens where user_id = \(user)"),
            Removal("identity.pending_letters", "delete from platform.pending_letters where user_id = \(user)"),
            Removal("identity.roles", "delete from platform.user_roles where user_id = \(user)"),
        ]
        if let email = Email(record.email) {
            removals.append(Removal("identity.login_attempts", LoginAttempts.succeed(.signIn(email))))
        }
        return removals
    }

    func didErase(_ user: ID<User>) { services.directory.forget(user) }

    /// Names nobody any more; the hash is one that no password has.
    private static func emptying(_ user: ID<User>) -> SQL {
        let digits = user.description.filter { $0 != "-" }
        let (address, name) = ("\(digits)@erased.invalid", "erased_" + digits.suffix(22))
        return """
            update platform.users
            set email = \(address), username = \(name), name = null, applied_name = null, preferences = '{}',
                last_login_at = null, email_verified_at = null, mascot = default, experience_level = default,
                points = default, streak_days = default, streak_on = default, enabled_domains = default,
                password_hash = \("$2a$10$" + String(repeating: ".", count: 53))
            where id = \(user)
            """
    }
}

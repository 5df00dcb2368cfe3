import Messaging
import Kernel
import PostgreSQL

/// New users.
///
/// Where addresses are confirmed by mail a registration keeps to itself whether an address is taken: it is answered
/// alike, its owner is told by mail, the username counts as taken from then on, and who is new can't sign in before the
/// address is confirmed. Elsewhere it says so, as the sign-in after it would; how often an address of the network may
/// ask is limited. A sign-in never says it.
struct Registration: Sendable {
    /// What a new user gives.
    struct Application: Sendable {
        let email: Email
        let username: String
        let password: String
        let name: String?
        var role = Role.customer
    }

    let services: IdentityServices

    /// Registers somebody whose address is to be confirmed; nothing tells whether it was taken.
    ///
    /// - Throws: as `register`, but not `emailTaken`; `mailUnavailable`.
    func apply(_ application: Application, by origin: Origin) async throws {
        do {
            let user = try await register(application, by: origin)
            try services.letters.post(.verification(user.id))
        } catch IdentityProblem.emailTaken {
            let now = services.clock.now()
            let entry = services.journal.audit("user.registration_refused", user: nil, by: origin)
            let claim = Users.claim(application.username, at: now)
            try await services.pool.transact { _ in services.closing((), [claim], [entry], at: now) }
            try services.letters.post(.addressKnown(application.email))
        }
    }

    /// Stores a user with a role, who can sign in from then on.
    ///
    /// - Throws: `emailTaken`, `usernameTaken`, `weakPassword`, `hashingUnavailable`, or 400 for the password's length.
    func register(_ application: Application, by origin: Origin) async throws -> UserRecord {
        guard !Username.isReserved(application.username) || application.role != .customer else {
            throw IdentityProblem.usernameTaken
        }
        let hash = try await services.passwords.set(
            application.password,
            email: application.email,
            username: application.username
        )
        let now = services.clock.now()
        let (ids, journal) = (services.ids, services.journal)
        var user = UserRecord(
            new: ids.next(),
            email: application.email,
            username: application.username,
            name: application.name,
            passwordHash: hash,
            at: now
        )
        user.touch(at: now)
        let role = application.role
        // Staff are made at the console, by somebody who vouches for their addresses.
        if role != .customer { user.emailVerifiedAt = now }
        let event = journal.event(
            "platform.user.registered",
            &user,
            payload: [JSON.Member("username", .string(user.username)), JSON.Member("role", .string(role.rawValue))],
            by: origin
        )
        // Who registers acts for themselves; anybody else (an operator, the system) is named.
        let origin = origin.actor == "anonymous" ? origin.acting(as: user.id) : origin
        let after: JSON = ["username": .string(user.username), "role": .string(role.rawValue)]
        var rows: [any StoredRow] = [
            journal.status("user", user, from: nil, to: user.status.rawValue), event,
            journal.audit("user.registered", user: user.id, by: origin, after: after),
        ]
        if role != .customer {
            rows.append(journal.audit("break_glass.role_granted", user: user.id, by: origin, after: after))
        }
        let new = user
        do {
            try await services.pool.transact { _ in
                services.closing((), Users.insert(new, role: role, grantedBy: origin.actor), rows, at: now)
            }
        } catch let error as PostgresError where error.violates("users_email_unique") {
            throw IdentityProblem.emailTaken
        } catch let error as PostgresError where error.violates("users_username_unique") {
            throw IdentityProblem.usernameTaken
        }
        services.directory.forget(new)
        services.outbox?.raise()
        return new
    }
}

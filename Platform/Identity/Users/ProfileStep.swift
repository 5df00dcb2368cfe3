import HTTP
import Kernel
import Messaging
import PostgreSQL

/// A change of a user's profile, made while the user's row is locked.
///
/// It is an object, so that what is awaited carries one reference.
final class ProfileStep: Sendable {
    private let change: Profiles.Change
    private let user: ID<User>
    private let origin: Origin
    private let services: IdentityServices
    private let now: Timestamp

    init(
        _ change: Profiles.Change,
        of user: ID<User>,
        by origin: Origin,
        _ services: IdentityServices,
        at now: Timestamp
    ) {
        (self.change, self.user, self.origin) = (change, user, origin)
        (self.services, self.now) = (services, now)
    }

    /// The user before and after it.
    ///
    /// - Throws: 404, `verificationNotOpen`, or what the change's check throws.
    func take(in transaction: Transaction) async throws -> Closing<(UserRecord, UserRecord)> {
        let rows = try await transaction.pipeline(selection)
        guard let row = rows[0].first else { throw Problem.notFound }
        return try closing(try UserRecord(row), isLookedAt: !rows[1].isEmpty)
    }

    private var selection: [SQL] {
        [
            "select \(UserRecord.columns) from platform.users where id = \(user) for no key update",
            NameChange.open(of: user),
        ]
    }

    private func closing(_ before: UserRecord, isLookedAt: Bool) throws -> Closing<(UserRecord, UserRecord)> {
        try change.check(before)
        var after = before
        change.apply(to: &after)
        guard after.changeable != before.changeable || change.phone != nil else { return Closing((before, before)) }
        after.touch(at: now)
        var statements: [SQL] = []
        var rows: [any StoredRow] = []
        if after.name != before.name {
            guard before.kycStatus != .pending, !isLookedAt else { throw IdentityProblem.verificationNotOpen(.pending) }
            (statements, rows) = NameChange.end(&after, by: origin, services)
        }
        // The number itself is nobody's to read in the audit log.
        let noted = change.phone == nil ? after.changeable : after.changeable.merging(["phone": "changed"])
        rows.append(
            services.journal.audit("user.changed", user: user, by: origin, before: before.changeable, after: noted)
        )
        return services.closing((before, after), [Users.update(after)] + statements, rows, at: now)
    }
}

extension Profiles.Change {
    fileprivate func apply(to user: inout UserRecord) {
        if let username { user.username = username }
        if let name { user.name = name }
        if let preferences { user.preferences = user.preferences.merging(preferences) }
        if let mascot { user.mascot = mascot }
        if let experienceLevel { user.experienceLevel = experienceLevel }
        if let enabledDomains { user.enabledDomains = EnabledDomain.allCases.filter(enabledDomains.contains) }
    }
}

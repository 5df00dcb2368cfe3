import Kernel
import Messaging
import PostgreSQL

/// What another name does to what is known of a user: it was of the former name, and ends.
///
/// The new name is screened like any other. Whoever was refused stays so under every name.
enum NameChange {
    /// An application of a user that somebody looks at; no row for none.
    static func open(of user: ID<User>) -> SQL {
        "select 1 from platform.kyc_applications where user_id = \(user) and status = 'submitted' limit 1"
    }

    /// Takes the identification of a user back, with what tells of it.
    static func end(
        _ user: inout UserRecord,
        by origin: Origin,
        _ services: IdentityServices
    ) -> (statements: [SQL], rows: [any StoredRow]) {
        user.appliedName = nil
        guard user.kycStatus == .approved else { return ([], []) }
        user.kycStatus = .none
        let change = [JSON.Member("from", "approved"), JSON.Member("to", "none")]
        let journal = services.journal
        let event = journal.event("platform.user.kyc_changed", &user, payload: change, by: origin)
        let reason = "The name has changed."
        let rows: [any StoredRow] = [
            journal.status("user_verification", user, from: "approved", to: "none", reason: reason), event,
            journal.audit(
                "user.kyc_changed",
                user: user.id,
                by: origin,
                before: ["kyc_status": "approved"],
                after: ["kyc_status": "none", "reason": .string(reason)]
            ),
        ]
        let statements: [SQL] = [
            "delete from platform.kyc_levels where user_id = \(user.id)",
            "insert into platform.monitoring_queue (user_id) values (\(user.id))",
        ]
        return (statements, rows)
    }
}

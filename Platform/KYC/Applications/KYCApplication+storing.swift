import Compliance
import Kernel
import PostgreSQL

extension KYCApplication.Status: SQLEncodable, SQLDecodable {}

extension KYCApplication {
    static let columns: SQL = """
        a.id, a.user_id, a.level, a.status, a.provider, a.reason, a.created_at, a.submitted_at, a.referred_at,
        a.told_at, a.told_event, a.claimed_by, a.claimed_at, a.proposed_by, a.decided_by, a.decided_at,
        array(select d.id from platform.kyc_documents d where d.application_id = a.id order by d.id) as documents,
        array(select d.kind from platform.kyc_documents d where d.application_id = a.id order by d.id) as kinds,
        array(select d.media_type from platform.kyc_documents d where d.application_id = a.id order by d.id) as media,
        array(select d.bytes from platform.kyc_documents d where d.application_id = a.id order by d.id) as sizes
        """

    /// Reads a row of `columns`.
    init(_ row: Row) throws {
        (id, user, status) = (try row["id"], try row["user_id"], try row["status"])
        level = KYCLevel(rawValue: try row["level"]) ?? .none
        (provider, reason, createdAt) = (try row["provider"], try row["reason"], try row["created_at"])
        (submittedAt, referredAt) = (try row["submitted_at"], try row["referred_at"])
        let (toldAt, event): (Timestamp?, String?) = (try row["told_at"], try row["told_event"])
        told = toldAt.flatMap { at in event.map { Told(at: at, event: $0) } }
        let (claimant, claimedAt): (ID<User>?, Timestamp?) = (try row["claimed_by"], try row["claimed_at"])
        claim = claimant.flatMap { officer in claimedAt.map { Claim(officer: officer, at: $0) } }
        (proposedBy, decidedBy, decidedAt) = (try row["proposed_by"], try row["decided_by"], try row["decided_at"])
        documents = try KYCDocument.list(row)
    }

    /// The statement that stores a new one of an active user; it touches no row where there is none.
    var insertion: SQL {
        """
        insert into platform.kyc_applications (id, user_id, level, status, provider, created_at)
        select \(id), person.id, \(level.rawValue)::integer, \(status), \(provider), \(createdAt)
        from platform.users person
        where person.id = \(user) and person.status = 'active'
        for share
        """
    }

    /// The statement that stores what may have changed, of one that was locked.
    var update: SQL {
        """
        update platform.kyc_applications
        set status = \(status), provider = \(provider), reason = \(reason), submitted_at = \(submittedAt),
            referred_at = \(referredAt), told_at = \(told?.at), told_event = \(told?.event),
            claimed_by = \(claim?.officer), claimed_at = \(claim?.at), proposed_by = \(proposedBy),
            decided_by = \(decidedBy), decided_at = \(decidedAt), version = version + 1
        where id = \(id)
        """
    }
}

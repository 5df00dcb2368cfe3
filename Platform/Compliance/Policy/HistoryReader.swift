import Kernel
import PostgreSQL

/// Reads what customers did lately from the projections.
struct HistoryReader: Sendable {
    let pool: Pool

    /// A customer's history: the youngest movements, the newest device, the countries.
    ///
    /// Two reads of indices in one round trip. The projections follow the domains by some milliseconds to seconds: a
    /// movement that isn't in them yet isn't counted. Nor is the movement itself that is asked about, which is there
    /// when it is asked about again.
    func history(of user: ID<User>, besides subject: UInt128, at now: Timestamp) async throws -> MovementHistory {
        let results = try await pool.withConnection { connection in
            try await connection.pipeline([
                """
                select type, asset, amount, created_at, coalesce(type = 'transfer_in', false) as is_arrival
                from platform.transaction_facts
                where user_id = \(user) and status not in ('failed', 'cancelled', 'returned', 'refunded')
                    and transaction <> \(subject)
                order by transaction desc
                limit \(MovementHistory.movementsMax)
                """,
                """
                select subject.countries, known.level, coalesce(known.expires_at <= \(now), false) as is_expired,
                    array(
                        select flag from platform.compliance_clearances
                        where user_id = \(user) and until > \(now) order by flag limit 100
                    ) as cleared,
                    (
                        select session.created_at from platform.sessions session
                        where session.user_id = \(user)
                        and exists (
                            select from platform.sessions earlier
                            where earlier.user_id = \(user) and earlier.created_at < session.created_at
                        )
                        and not exists (
                            select from platform.sessions earlier
                            where earlier.user_id = \(user) and earlier.created_at < session.created_at
                            and earlier.user_agent is not distinct from session.user_agent
                        )
                        order by session.created_at desc
                        limit 1
                    ) as newest_device
                from (values (1)) as one
                left join platform.screening_subjects subject on subject.user_id = \(user)
                left join platform.kyc_levels known on known.user_id = \(user)
                """,
            ])
        }
        var history = MovementHistory(try results[0].compactMap(HistoryReader.past).reversed())
        if let row = results[1].first {
            history.countries = Set(try row["countries"] as [String]? ?? [])
            history.newestDeviceAt = try row["newest_device"]
            history.documented = (try row["level"] as Int?).flatMap(KYCLevel.init)
            history.isExpired = try row["is_expired"]
            history.cleared = Set(try row["cleared"] as [String])
        }
        return history
    }

    /// A movement of the past; nil for what rules don't look at.
    static func past(_ row: Row) throws -> MovementHistory.Past? {
        let type: String = try row["type"]
        guard let kind = kind(type) else { return nil }
        return MovementHistory.Past(
            kind: kind,
            asset: try row["asset"],
            minorUnits: try row["amount"],
            at: try row["created_at"],
            isArrival: type == "transfer_in"
        )
    }

    /// The kind of movement that a type of transaction is.
    static func kind(_ type: String) -> MoneyMovement.Kind? {
        switch type {
        case "deposit", "purchase": .deposit
        case "withdrawal", "sale": .withdrawal
        case "payment": .payment
        case "payout": .payout
        case "transfer", "transfer_in", "transfer_out": .transfer
        default: nil
        }
    }
}

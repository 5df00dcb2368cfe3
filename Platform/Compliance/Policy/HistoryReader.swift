import DataProtection
import Kernel
import PostgreSQL

/// Reads what customers did lately from the projections.
struct HistoryReader: Sendable {
    let pool: Pool
    /// What customers are screened by; without it nothing can be said of those who are by more than a name.
    let data: PersonalValues?

    /// Movements that came about: those that weren't stopped or given back, and of own wallets' payouts those to
    /// somebody else, which were checked.
    static let counted: SQL = """
        f.status not in ('failed', 'cancelled', 'returned', 'refunded', 'expired')
            and (f.type <> 'payout'
                or exists (select from platform.compliance_checks c where c.subject = f.transaction))
        """

    /// A customer's history: the youngest movements and payments received, what left within a day, the newest device,
    /// the countries.
    ///
    /// Reads of indices in one round trip. The projections follow the domains by some milliseconds to seconds: what was
    /// let leave meanwhile is among the claims, which are read first, so that nothing is in neither. The movement that
    /// is asked about isn't counted, which is there when it is asked about again. Of an allowance that is `spent` what
    /// was used is among the claims, in its place.
    func history(
        of user: ID<User>,
        besides subject: UInt128,
        at now: Timestamp,
        spent: Allowances.Allowance? = nil
    ) async throws -> (history: MovementHistory, claims: ReadClaims) {
        let statements = [
            HistoryReader.claims(user, spent), HistoryReader.own(user, subject), HistoryReader.received(user),
            HistoryReader.left(user, subject, now), HistoryReader.standing(user, now),
        ]
        let results = try await pool.withConnection { try await $0.pipeline(statements) }
        let past = try results[1...2].flatMap { try $0.compactMap(HistoryReader.past) }
        var history = MovementHistory(past.sorted { $0.at < $1.at })
        history.left = [:]
        for row in results[3] {
            history.left?[try row["asset"]] = MovementHistory.Sum(
                minorUnits: try row["amount"],
                count: try row["count"]
            )
        }
        let claims = try HistoryReader.claims(results[0].first, spent, at: now)
        history.claimed = claims.list.reduce(Outflow()) { $1.id == subject ? $0 : $0 + $1.flow }
        if let row = results[4].first { try history.read(row) }
        if try results[4].first?["is_sealed"] == true { history.countries = try await countries(of: user) }
        return (history, claims)
    }

    private func countries(of user: ID<User>) async throws -> Set<String> {
        guard let data else { throw Sealed(user: user) }
        return try await data.screenedBy(user).countries
    }

    /// What a customer is screened by can't be read here.
    private struct Sealed: Error {
        let user: ID<User>
    }

    private static func claims(_ user: ID<User>, _ spent: Allowances.Allowance?) -> SQL {
        let used = spent?.used.map { ID<User>($0.id) } ?? []
        return """
            select coalesce(c.version, 0) as version, coalesce(c.claims, '[]') as claims, array(
                select f.transaction from platform.transaction_facts f
                where f.user_id = \(user) and (f.transaction = any(\(used)) or f.transaction in (
                    select (e ->> 'id')::uuid from jsonb_array_elements(c.claims) e
                ))
            ) as told
            from (values (1)) as one
            left join platform.outgoing_claims c on c.user_id = \(user)
            """
    }

    private static func claims(
        _ row: Row?,
        _ spent: Allowances.Allowance?,
        at now: Timestamp
    ) throws -> ReadClaims {
        guard let row else { return ReadClaims(version: 0, list: []) }
        let (kept, told): (JSON, [ID<User>]) = (try row["claims"], try row["told"])
        let known = Set(told.map(\.value))
        let list = (kept.elements ?? []).compactMap(OutgoingClaim.init).filter { $0.id != spent?.id }
        return ReadClaims(
            version: try row["version"],
            list: (list + (spent?.used ?? [])).filter { $0.until > now && !known.contains($0.id) }
        )
    }

    private static func own(_ user: ID<User>, _ subject: UInt128) -> SQL {
        """
        select f.type, f.asset, f.amount, f.created_at, coalesce(f.type = 'transfer_in', false) as is_arrival
        from platform.transaction_facts f
        where f.user_id = \(user) and f.transaction <> \(subject) and \(counted)
        order by f.transaction desc
        limit \(MovementHistory.movementsMax)
        """
    }

    private static func received(_ user: ID<User>) -> SQL {
        """
        select f.type, f.asset, f.amount, f.created_at, true as is_arrival
        from platform.transaction_facts f
        where f.counterparty = \(user) and f.type = 'payment' and f.user_id <> \(user) and \(counted)
        order by f.transaction desc
        limit \(MovementHistory.movementsMax)
        """
    }

    /// What left within a day; a transaction's id says when it was made.
    private static func left(_ user: ID<User>, _ subject: UInt128, _ now: Timestamp) -> SQL {
        let since = max(0, now.microseconds / 1_000 - MovementHistory.daySeconds * 1_000)
        return """
            select f.asset, sum(f.amount)::numeric(38,0) as amount, count(*) as count
            from platform.transaction_facts f
            where f.user_id = \(user) and f.transaction >= \(UInt128(since) << 80) and f.transaction <> \(subject)
                and f.type in ('withdrawal', 'sale', 'payment', 'payout') and \(counted)
            group by f.asset
            """
    }

    private static func standing(_ user: ID<User>, _ now: Timestamp) -> SQL {
        """
        select known.level, coalesce(known.expires_at <= \(now), false) as is_expired,
            person.id is not null and person.name is null as is_nameless,
            exists (
                select from platform.encrypted_user_data sealed
                where sealed.user_id = \(user) and sealed.data_type = \(DataType.screenedBy.name)
            ) as is_sealed,
            array(
                select flag from platform.compliance_clearances
                where user_id = \(user) and until > \(now) order by flag limit 100
            ) as cleared,
            (
                select max(device.first_seen_at) from platform.known_devices device
                where device.user_id = \(user) and device.first_seen_at > (
                    select min(first.first_seen_at) from platform.known_devices first where first.user_id = \(user)
                )
            ) as newest_device
        from (values (1)) as one
        left join platform.users person on person.id = \(user)
        left join platform.kyc_levels known on known.user_id = \(user)
        """
    }

    /// A movement of the past; nil for what rules don't look at.
    static func past(_ row: Row) throws -> MovementHistory.Past? {
        guard let kind = kind(try row["type"]) else { return nil }
        return MovementHistory.Past(
            kind: kind,
            asset: try row["asset"],
            minorUnits: try row["amount"],
            at: try row["created_at"],
            isArrival: try row["is_arrival"]
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

extension MovementHistory {
    fileprivate mutating func read(_ row: Row) throws {
        newestDeviceAt = try row["newest_device"]
        documented = (try row["level"] as Int?).flatMap(KYCLevel.init)
        isExpired = try row["is_expired"]
        isNameless = try row["is_nameless"]
        cleared = Set(try row["cleared"] as [String])
    }
}

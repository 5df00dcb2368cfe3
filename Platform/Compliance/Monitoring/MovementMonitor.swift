public import DataProtection
public import Kernel
public import Logging
public import PostgreSQL
public import ServiceLifecycle

/// Watches what customers do on the stream of events, beside what was said to each movement before it.
///
/// The projections note whose movements changed, in the transaction that stores them; the monitor looks at these
/// customers as a whole, opens cases for what stands out, and keeps their risk scores. Looking twice does no harm.
public struct MovementMonitor: Service {
    /// Customers of one round.
    static let customersMax = 200
    /// Between two rounds that found nobody.
    static let pauseSeconds = 2.0

    private let pool: Pool
    private let ids: IDGenerator
    private let clock: any WallClock
    private let logger: Logger
    private let policy: PolicyCache
    private let histories: HistoryReader
    private let cases: ComplianceCases

    /// A monitor; `pool` is the platform's, `data` has what customers are screened by.
    public init(pool: Pool, data: PersonalValues, ids: IDGenerator, clock: any WallClock, logger: Logger) {
        (self.pool, self.ids, self.clock, self.logger) = (pool, ids, clock, logger)
        policy = PolicyCache(pool: pool, clock: clock)
        histories = HistoryReader(pool: pool, data: data)
        cases = ComplianceCases(pool: pool, ids: ids, clock: clock)
    }

    /// Watches until a graceful shutdown or cancellation.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await sweepOnce() == MovementMonitor.customersMax { continue }
                } catch {
                    logger.warning("customers not monitored; tried again", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(MovementMonitor.pauseSeconds))
            }
        }
    }

    /// Looks at a set of customers whose movements, cases or identities changed, and answers with how many.
    ///
    /// - Throws: what the pool throws; who wasn't looked at is next time.
    public func sweepOnce() async throws -> Int {
        let rows = try await pool.query(
            """
            select user_id, max(id) as last
            from (select id, user_id from platform.monitoring_queue order by id limit 10000) waiting
            group by user_id
            order by max(id)
            limit \(MovementMonitor.customersMax)
            """
        )
        for row in rows {
            let (user, last): (ID<User>, Int64) = (try row["user_id"], try row["last"])
            try await look(at: user)
            _ = try await pool.query(
                "delete from platform.monitoring_queue where user_id = \(user) and id <= \(last)"
            )
        }
        return rows.count
    }

    private func look(at user: ID<User>) async throws {
        let now = clock.now()
        let parameters = try await policy.current().active.parameters
        let history = try await histories.history(of: user, besides: 0, at: now).history
        let findings = MonitoringRules(parameters: parameters).findings(in: history, at: now)
        let day = now.description.prefix(10)
        try await cases.raise(
            findings.map { finding in
                ComplianceCases.Alert(
                    user: user,
                    kind: .aml,
                    subject: "\(finding.flag) \(day)",
                    score: finding.score * 10,
                    explanation: ["monitoring: \(finding.flag)", "  " + finding.explanation]
                )
            },
            evidence: [
                "findings": .array(findings.map { .string("\($0.flag): \($0.explanation)") }),
                "at": .string(now.description),
            ],
            holds: false
        )
        guard var known = try await known(of: user, history, at: now) else { return }
        known.isOfHighRiskCountry = !history.countries.isDisjoint(with: parameters.highRiskCountries)
        known.findings = findings
        try await keep(RiskScore(known), of: user, at: now)
    }

    /// What is known of a customer; nil for somebody who isn't a user.
    private func known(
        of user: ID<User>,
        _ history: MovementHistory,
        at now: Timestamp
    ) async throws -> RiskScore.Known? {
        let row = try await pool.query(
            """
            select person.kyc_status, person.created_at,
                count(c.id) filter (where c.closed_at is null and c.kind = 'sanctions') as sanctions,
                count(c.id) filter (where c.closed_at is null and c.kind <> 'sanctions') as others,
                count(c.id) filter (where c.status = 'confirmed') as confirmed
            from platform.users person
            left join platform.compliance_cases c on c.user_id = person.id
            where person.id = \(user)
            group by person.id
            """
        ).first
        guard let row else { return nil }
        let created: Timestamp = try row["created_at"]
        var known = RiskScore.Known()
        known.level = KYCLevel.of(
            try row["kyc_status"] == "approved" ? .approved : .none,
            documented: history.documented,
            isExpired: history.isExpired
        )
        known.isExpired = history.isExpired
        known.days = Int((now.microseconds - created.microseconds) / 86_400_000_000)
        known.openSanctionsCases = try row["sanctions"]
        known.openOtherCases = try row["others"]
        known.confirmedCases = try row["confirmed"]
        return known
    }

    /// Keeps a score that isn't the one before.
    private func keep(_ score: RiskScore, of user: ID<User>, at now: Timestamp) async throws {
        let id: ID<RiskScore> = ids.next()
        _ = try await pool.query(
            """
            insert into platform.risk_scores (id, user_id, score, rating, factors, computed_at)
            select \(id), \(user), \(score.score), \(score.rating.rawValue), \(score.json), \(now)
            where \(score.json)::jsonb is distinct from (
                select factors from platform.risk_scores where user_id = \(user) order by id desc limit 1
            )
            """
        )
    }
}

public import DataProtection
public import Kernel
public import PostgreSQL
public import Screening

/// Screens customers against the lists.
public struct CustomerScreening: Sendable {
    private let pool: Pool
    private let data: PersonalValues
    private let clock: any WallClock
    private let screening: SanctionsScreening
    private let cases: ComplianceCases
    private let records: AnswerRecords
    private let policy: PolicyCache

    /// How often a customer is screened anew whom a list overtakes; then later.
    private static let roundsMax = 3

    private let ids: IDGenerator

    /// A screening of customers; `pool` is the platform's, `data` keeps what they are screened by beside the name.
    public init(pool: Pool, data: PersonalValues, ids: IDGenerator, clock: any WallClock) {
        (self.pool, self.data, self.ids, self.clock) = (pool, data, ids, clock)
        screening = SanctionsScreening(pool: pool)
        cases = ComplianceCases(pool: pool, ids: ids, clock: clock)
        records = AnswerRecords(pool: pool, ids: ids, clock: clock)
        policy = PolicyCache(pool: pool, clock: clock)
    }

    /// Screens a customer, keeps whom and what came of it, and opens a case for what a person must look at: an entry of
    /// a list, a name that can't be screened, a country of high risk.
    ///
    /// Idempotent: what was raised before isn't raised again, nor is what the customer was told apart from.
    /// - Returns: the entries that matter, dismissed ones not among them.
    /// - Throws: what the pool throws; the customer counts as not screened then.
    @discardableResult
    public func screen(
        _ user: ID<User>,
        name: String,
        birth: BirthDate? = nil,
        countries: Set<String> = []
    ) async throws -> [ScreeningHit] {
        let subject = ScreeningSubject(user: user, name: name, birth: birth, countries: countries)
        for _ in 0..<CustomerScreening.roundsMax {
            let versions: Int = try await pool.query(CustomerScreening.versions)[0][0]
            let hits = try await look(at: subject, user)
            // Last, so that whoever isn't kept is screened again.
            if try await keep(subject, user, screenedBy: versions) { return hits }
        }
        throw ListsChanging()
    }

    /// Lists came in so quickly that a customer couldn't be screened against one state of them.
    struct ListsChanging: Error {}

    /// The statement that has a customer screened again soon, for a transaction of the caller's.
    public static func again(_ user: ID<User>) -> SQL {
        "delete from platform.screening_subjects where user_id = \(user)"
    }

    private static let versions: SQL = "select count(*) from platform.sanctions_lists"

    private func look(at subject: ScreeningSubject, _ user: ID<User>) async throws -> [ScreeningHit] {
        var hits: [ScreeningHit] = []
        var flags: [String] = []
        do {
            hits = try await screening.screen(subject).filter { !$0.isDismissed }
            try await raise(hits, subject)
            if !hits.isEmpty { flags = ["sanctions_hit"] }
        } catch let error as ScreeningError {
            try await raise(error, user, subject)
            flags = ["unscreenable_name"]
        }
        let country = try await raiseHighRisk(user, subject.countries)
        try await keep(ofList: flags, country, user)
        return hits
    }

    /// Keeps whom later versions of lists are compared with; false where one has come in since.
    ///
    /// A version waits at its end for those who are being kept: it is compared with them, or they see it here.
    private func keep(_ subject: ScreeningSubject, _ user: ID<User>, screenedBy versions: Int) async throws -> Bool {
        let screened = ScreenedName(subject.name)
        let kept: SQL = """
            insert into platform.screening_subjects (user_id, name, sounds, keys, screened_at)
            values (\(user), \(subject.name), \(screened.sounds), \(screened.keys), \(clock.now()))
            on conflict (user_id) do update
            set name = excluded.name, sounds = excluded.sounds, keys = excluded.keys,
                screened_at = excluded.screened_at
            """
        let known = ScreenedBy(subject)
        // Who has nothing to be sealed needs no key.
        let sealed = known.isEmpty ? [] : [PersonalValue(.screenedBy, bytes: known.bytes)]
        let gone = known.isEmpty ? [PersonalValues.removal(of: .screenedBy, item: 0, of: user)] : []
        return try await data.store(sealed, of: user) { transaction in
            _ = try await transaction.query(
                "select pg_advisory_xact_lock_shared(hashtext('platform.screening_subjects'))"
            )
            guard try await transaction.query(CustomerScreening.versions)[0][0] == versions else {
                return Closing(false)
            }
            return Closing(true, last: gone + [kept])
        }
    }

    /// A name that nothing can be said to is looked at by a person.
    private func raise(_ error: ScreeningError, _ user: ID<User>, _ subject: ScreeningSubject) async throws {
        let alert = ComplianceCases.Alert(
            user: user,
            kind: .sanctions,
            subject: "unscreenable_name \(UUIDText.digest(of: subject.name))",
            score: ScreeningScore.alertMin,
            explanation: ["the name can't be screened: \(error)"]
        )
        try await cases.raise([alert], evidence: ["name": .string(subject.name)])
    }

    /// The country of high risk that a customer is of; nil for none.
    private func raiseHighRisk(_ user: ID<User>, _ countries: Set<String>) async throws -> String? {
        let found = countries.intersection(try await policy.current().active.parameters.highRiskCountries).sorted()
        guard let country = found.first else { return nil }
        let mark = try await data.mark(of: "\(user.wire) \(country)", .screenedBy)
        let alert = ComplianceCases.Alert(
            user: user,
            kind: .aml,
            subject: "high_risk_country \(UUIDText.digest(of: "\(mark)"))",
            score: 700,
            explanation: ["a customer of a country of high risk"]
        )
        let sealed = CaseEvidence(
            [.init("countries", .array(countries.sorted().map(JSON.string)))],
            explaining: [alert.subject: ["a customer of \(found.joined(separator: ", ")), which is of high risk"]]
        )
        try await raise([alert], [:], sealing: sealed, holds: false)
        return country
    }

    private func keep(ofList flags: [String], _ country: String?, _ user: ID<User>) async throws {
        var checks = [
            ComplianceAnswer.Check(
                kind: .sanctions,
                outcome: flags.isEmpty ? .approve : .review,
                score: flags.isEmpty ? 0 : 90,
                flags: flags,
                rule: "name_lists.v1"
            )
        ]
        if country != nil {
            checks.append(
                ComplianceAnswer.Check(
                    kind: .aml,
                    outcome: .review,
                    score: 70,
                    flags: ["high_risk_country"],
                    rule: "high_risk_country.v1"
                )
            )
        }
        try await records.keep(checks, of: user, subject: user.value, by: ComplianceMoment.registration.rawValue)
    }

    /// Opens a case for what a person must look at of a customer.
    func raise(_ hits: [ScreeningHit], _ subject: ScreeningSubject) async throws {
        guard let user = subject.user, !hits.isEmpty else { return }
        let known = ScreenedBy(subject)
        var explanations: [String: [String]] = [:]
        let alerts = hits.prefix(50).map { hit in
            let subject = UUIDText.of(hit.entry.id.value)
            explanations[subject] = hit.explanation
            return ComplianceCases.Alert(
                user: user,
                kind: .sanctions,
                subject: subject,
                score: hit.score.total,
                // What agrees with an entry says what it is.
                explanation: known.isEmpty ? hit.explanation : Array(hit.explanation.prefix(1))
            )
        }
        let sealed = known.isEmpty ? nil : CaseEvidence(known.members, explaining: explanations)
        try await raise(alerts, ["name": .string(subject.name)], sealing: sealed, holds: true)
    }

    /// Opens a case, or adds to it, with what nobody else may read of it sealed under the customer's key.
    private func raise(
        _ alerts: [ComplianceCases.Alert],
        _ evidence: JSON,
        sealing sealed: CaseEvidence?,
        holds: Bool
    ) async throws {
        guard let user = alerts.first?.user, try await cases.isNews(alerts) else { return }
        guard let sealed else {
            try await cases.raise(alerts, evidence: evidence, holds: holds)
            return
        }
        let item = ids.next(ComplianceCase.self).value
        let kept = CaseEvidence.naming(item, in: evidence)
        let gone = PersonalValues.removal(of: .evidence, item: item, of: user)
        try await data.store([PersonalValue(.evidence, item: item, bytes: sealed.bytes)], of: user) {
            [cases] transaction in
            let isNews = try await cases.raise(alerts, evidence: kept, holds: holds, in: transaction) != nil
            return Closing((), last: isNews ? [] : [gone])
        }
    }

    /// Opens a case for an address that a customer keeps and an entry of a list has.
    func raise(_ kept: KeptAddress, of entry: SanctionsEntry) async throws {
        let whose = kept.use == .wallet ? "a wallet that is said to be theirs" : "an address that they pay to"
        let explanation = ["\(entry.source.rawValue) \(entry.key): \(kept.account)", "  \(whose)"]
        let alert = ComplianceCases.Alert(
            user: kept.user,
            kind: .sanctions,
            subject: "address_listed \(UUIDText.of(entry.id.value)) \(UUIDText.digest(of: kept.account))",
            score: 1_000,
            explanation: explanation
        )
        let evidence: JSON = [
            "address": .string(kept.account), "use": .string(kept.use.moment.rawValue),
            "hits": .array([.array(explanation.map(JSON.string))]),
        ]
        try await cases.raise([alert], evidence: evidence)
    }
}

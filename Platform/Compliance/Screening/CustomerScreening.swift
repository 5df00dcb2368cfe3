public import Kernel
public import PostgreSQL
public import Screening

/// Screens customers against the lists, and changed entries of lists against customers.
public struct CustomerScreening: Sendable {
    private let pool: Pool
    private let clock: any WallClock
    private let screening: SanctionsScreening
    private let cases: ComplianceCases
    private let records: AnswerRecords
    private let policy: PolicyCache

    /// Customers that one changed entry is compared with, at most.
    static let customersMax = 5_000

    /// A screening of customers; `pool` is the platform's.
    public init(pool: Pool, ids: IDGenerator, clock: any WallClock) {
        (self.pool, self.clock) = (pool, clock)
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
        let country = try await raiseHighRisk(user, countries)
        try await keep(ofList: flags, country, user)
        let screened = ScreenedName(name)
        // Last, so that whoever isn't kept is screened again.
        _ = try await pool.query(
            """
            insert into platform.screening_subjects (user_id, name, birth, countries, sounds, keys, screened_at)
            values (\(user), \(name), \(birth?.description), \(countries.sorted()), \(screened.sounds),
                \(screened.keys), \(clock.now()))
            on conflict (user_id) do update
            set name = excluded.name, birth = excluded.birth, countries = excluded.countries,
                sounds = excluded.sounds, keys = excluded.keys, screened_at = excluded.screened_at
            """
        )
        return hits
    }

    /// Screens entries that were added or changed against all customers.
    ///
    /// - Returns: how many customers had an entry that matters.
    /// - Throws: as `screen`; it can be run again.
    public func screen(entries: [ID<SanctionsEntry>]) async throws -> Int {
        var found: Set<ID<User>> = []
        for entry in entries {
            let names = try await pool.query(
                """
                select name, kind, keys, sounds from platform.sanctions_names
                where entry = \(entry) and kind = 'person'
                """
            )
            for name in names {
                let customers = try await candidates(try name["keys"], try name["sounds"])
                for customer in customers where !found.contains(customer.user ?? ID(0)) {
                    let hits = try await screening.screen(customer).filter { !$0.isDismissed }
                    let relevant = hits.filter { $0.entry.id == entry }
                    guard !relevant.isEmpty, let user = customer.user else { continue }
                    found.insert(user)
                    try await raise(relevant, customer)
                }
            }
        }
        return found.count
    }

    private func candidates(_ keys: [String], _ sounds: String) async throws -> [ScreeningSubject] {
        let rows = try await pool.query(
            """
            select subject.user_id, subject.name, subject.birth, subject.countries
            from platform.screening_subject_candidates(\(keys), \(sounds)) candidate
            join platform.screening_subjects subject on subject.user_id = candidate.user_id
            limit \(CustomerScreening.customersMax + 1)
            """
        )
        guard rows.count <= CustomerScreening.customersMax else { throw ScreeningError.tooManyCandidates }
        return try rows.map { row in
            ScreeningSubject(
                user: try row["user_id"],
                name: try row["name"],
                birth: (try row["birth"] as String?).flatMap(BirthDate.init),
                countries: Set(try row["countries"] as [String])
            )
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
        let alert = ComplianceCases.Alert(
            user: user,
            kind: .aml,
            subject: "high_risk_country \(country)",
            score: 700,
            explanation: ["a customer of \(found.joined(separator: ", ")), which is of high risk"]
        )
        let evidence: JSON = ["countries": .array(countries.sorted().map(JSON.string))]
        try await cases.raise([alert], evidence: evidence, holds: false)
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

    private func raise(_ hits: [ScreeningHit], _ subject: ScreeningSubject) async throws {
        guard let user = subject.user, !hits.isEmpty else { return }
        let alerts = hits.prefix(50).map { hit in
            ComplianceCases.Alert(
                user: user,
                kind: .sanctions,
                subject: UUIDText.of(hit.entry.id.value),
                score: hit.score.total,
                explanation: hit.explanation
            )
        }
        let evidence: JSON = [
            "name": .string(subject.name), "birth": subject.birth.map { .string($0.description) } ?? .null,
            "countries": .array(subject.countries.sorted().map(JSON.string)),
            "hits": .array(hits.prefix(50).map { .array($0.explanation.map(JSON.string)) }),
        ]
        try await cases.raise(Array(alerts), evidence: evidence)
    }
}

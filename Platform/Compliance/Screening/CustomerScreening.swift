public import Kernel
public import PostgreSQL
public import Screening

/// Screens customers against the lists, and changed entries of lists against customers.
public struct CustomerScreening: Sendable {
    private let pool: Pool
    private let clock: any WallClock
    private let screening: SanctionsScreening
    private let cases: ComplianceCases

    /// Customers that one changed entry is compared with, at most.
    static let customersMax = 5_000

    /// A screening of customers; `pool` is the platform's.
    public init(pool: Pool, ids: IDGenerator, clock: any WallClock) {
        (self.pool, self.clock) = (pool, clock)
        screening = SanctionsScreening(pool: pool)
        cases = ComplianceCases(pool: pool, ids: ids, clock: clock)
    }

    /// Screens a customer, keeps whom, and opens a case for what a person must look at.
    ///
    /// Idempotent: what was raised before isn't raised again, nor is what the customer was told apart from.
    /// - Returns: the entries that matter, dismissed ones not among them.
    /// - Throws: `ScreeningError`, or what the pool throws; the customer counts as not screened then.
    @discardableResult
    public func screen(
        _ user: ID<User>,
        name: String,
        birth: BirthDate? = nil,
        countries: Set<String> = []
    ) async throws -> [ScreeningHit] {
        let subject = ScreeningSubject(user: user, name: name, birth: birth, countries: countries)
        let hits = try await screening.screen(subject).filter { !$0.isDismissed }
        try await raise(hits, subject)
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

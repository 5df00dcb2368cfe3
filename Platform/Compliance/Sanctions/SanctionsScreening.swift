public import Kernel
public import PostgreSQL
public import Screening

/// Somebody who is screened.
public struct ScreeningSubject: Sendable, Hashable {
    /// The user; nil for a party that is none, as the payee of a transfer.
    public let user: ID<User>?
    /// The name.
    public let name: String
    /// Whose name it is.
    public let kind: ScreenedName.Kind
    /// What is known of the birth.
    public let birth: BirthDate?
    /// Countries by ISO 3166-1 alpha-2: nationality, residence.
    public let countries: Set<String>

    /// A subject.
    public init(
        user: ID<User>?,
        name: String,
        kind: ScreenedName.Kind = .person,
        birth: BirthDate? = nil,
        countries: Set<String> = []
    ) {
        (self.user, self.name, self.kind, self.birth, self.countries) = (user, name, kind, birth, countries)
    }
}

/// Somebody screened and an entry that may be the same.
public struct ScreeningHit: Sendable, Hashable {
    /// The entry.
    public let entry: SanctionsEntry
    /// The name of the entry that is the most like.
    public let name: String
    /// How sure it is.
    public let score: ScreeningScore
    /// Whether the user was told apart from the entry, which says the same since.
    public let isDismissed: Bool

    /// What a person has to know to decide, in lines that fit one screen.
    public var explanation: [String] {
        let births = entry.births.prefix(4).map(\.description).joined(separator: ", ")
        return ["\(entry.source.rawValue) \(entry.key): \(name)"]
            + ["  born \(births.isEmpty ? "?" : births), countries \(entry.countries.sorted().joined(separator: ", "))"]
            + score.explanation
    }
}

/// Screens names and addresses against the lists in force.
public struct SanctionsScreening: Sendable {
    /// Names that are scored for one screen; what would need more isn't answered.
    public static let candidatesMax = 10_000

    private let pool: Pool
    private let listed = ReadNames()

    /// A screening; `pool` is the platform's.
    public init(pool: Pool) { self.pool = pool }

    /// The entries that a person must look at, the surest first.
    ///
    /// - Throws: `ScreeningError.tooManyCandidates`, or what the pool throws; the subject isn't screened then.
    public func screen(_ subject: ScreeningSubject) async throws -> [ScreeningHit] {
        let name = ScreenedName(subject.name, kind: subject.kind)
        guard !name.isEmpty else { throw ScreeningError.unreadableName }
        let rows = try await pool.query(
            """
            select entry, name, is_weak, kind
            from platform.sanctions_candidates(\(name.keys), \(name.sounds))
            where (kind = 'person') = \(subject.kind.isPerson)
            limit \(SanctionsScreening.candidatesMax + 1)
            """
        )
        guard rows.count <= SanctionsScreening.candidatesMax else { throw ScreeningError.tooManyCandidates }
        let alike = try alike(name, rows)
        guard !alike.isEmpty else { return [] }
        let byEntry = Dictionary(grouping: alike, by: \.entry)
        return try await entries(of: alike, subject.user).compactMap { row in
            let entry = try SanctionsEntry(row)
            let isDismissed: Bool = try row["is_dismissed"]
            return SanctionsScreening.hit(subject, entry, byEntry[entry.id] ?? [], isDismissed: isDismissed)
        }
        .sorted { ($0.score.total, $1.entry.key) > ($1.score.total, $0.entry.key) }
    }

    /// A name of an entry that is like the one that is asked about.
    struct Alike: Sendable {
        let entry: ID<SanctionsEntry>
        let name: String
        let isWeak: Bool
        let likeness: NameLikeness

        /// Nil for a name that isn't like it.
        init?(_ asked: ScreenedName, _ listed: ListedEntry.Name, of entry: ID<SanctionsEntry>) {
            likeness = NameLikeness(asked, listed.screened)
            guard likeness.score >= ScreeningScore.nameMin else { return nil }
            (self.entry, name, isWeak) = (entry, listed.text, listed.isWeak)
        }
    }

    // Most candidates only sound alike: what their entries say is read for the few that are.
    private func alike(_ name: ScreenedName, _ rows: Rows) throws -> [Alike] {
        try rows.compactMap { row in
            // A person isn't a company; a payee of unknown kind is asked for as both.
            try ListedEntry.Name(row, read: listed.name).flatMap { Alike(name, $0, of: try row["entry"]) }
        }
    }

    private func entries(of alike: [Alike], _ user: ID<User>?) async throws -> Rows {
        try await pool.query(
            """
            select entry.id, entry.source, entry.key, entry.former_keys, entry.digest, entry.births, entry.countries,
                exists (
                    select from platform.screening_dismissals dismissal
                    where dismissal.user_id = \(user)
                    and dismissal.source = entry.source
                    and (dismissal.key = entry.key or dismissal.key = any (entry.former_keys))
                    and dismissal.digest = entry.digest
                ) as is_dismissed
            from platform.sanctions_entries entry
            where entry.id = any (\(Array(Set(alike.map(\.entry)))))
            """
        )
    }

    /// The entries that an address is of, which is exact; the address is nil where no chain has such.
    public func entries(ofAddress address: WalletAddress) async throws -> [(source: SanctionsSource, key: String)] {
        let rows = try await pool.query(
            """
            select entry.source, entry.key
            from platform.sanctions_addresses found
            join platform.sanctions_entries entry on entry.id = found.entry
            where found.address = \(address.text)
            order by entry.source, entry.key
            limit 20
            """
        )
        return try rows.map { (try $0["source"], try $0["key"]) }
    }

    /// The names of an entry that are like a subject's, as one that a person must look at; nil for nothing to look at.
    static func hit(
        _ subject: ScreeningSubject,
        _ entry: SanctionsEntry,
        _ alike: [Alike],
        isDismissed: Bool
    ) -> ScreeningHit? {
        let birth = BirthAgreement(subject.birth, entry.births)
        let country = CountryAgreement(subject.countries, entry.countries)
        let scored = alike.map { name in
            let score = ScreeningScore(name: name.likeness, birth: birth, country: country, isWeakName: name.isWeak)
            return (name: name.name, score: score)
        }
        guard let best = scored.max(by: { $0.score.total < $1.score.total }), best.score.isAlert else { return nil }
        return ScreeningHit(entry: entry, name: best.name, score: best.score, isDismissed: isDismissed)
    }
}

/// Why somebody can't be screened.
public enum ScreeningError: Error, Sendable, Hashable {
    /// The name has no letter that can be read.
    case unreadableName
    /// More names than can be compared; the name is hardly one.
    case tooManyCandidates
}

import DataProtection
import Kernel
import Screening

/// What a customer is screened by beside the name: kept under the customer's own key, and in memory only while somebody
/// is compared.
struct ScreenedBy: Sendable, Hashable {
    var birth: BirthDate?
    /// ISO 3166-1 alpha-2.
    var countries: Set<String> = []

    /// Whether nothing is known.
    var isEmpty: Bool { birth == nil && countries.isEmpty }

    init() {}

    init(_ subject: ScreeningSubject) { (birth, countries) = (subject.birth, subject.countries) }

    /// Reads what `bytes` wrote.
    ///
    /// - Throws: a `JSONError` for anything else.
    init(_ bytes: [UInt8]) throws {
        let json = try JSON.parse(bytes)
        birth = json["birth"]?.stringValue.flatMap(BirthDate.init)
        countries = Set(json["countries"]?.elements?.compactMap(\.stringValue) ?? [])
    }

    /// Its members as evidence shows them.
    var members: [JSON.Member] {
        [
            .init("birth", birth.map { .string($0.description) } ?? .null),
            .init("countries", .array(countries.sorted().map(JSON.string))),
        ]
    }

    var bytes: [UInt8] { JSON.object(members).serialized() }
}

extension PersonalValues {
    /// What a customer is screened by.
    ///
    /// - Throws: as `read`, and for bytes that aren't such.
    func screenedBy(_ user: ID<User>) async throws -> ScreenedBy {
        guard let bytes = try await read(user, .screenedBy)?.bytes else { return ScreenedBy() }
        return try ScreenedBy(bytes)
    }

    /// What some customers are screened by, at most `placesMax` of them; nothing of those of whom nothing is known.
    ///
    /// - Throws: as `secrets`, and for bytes that aren't such; then nothing is known of any.
    func screenedBy(_ users: [ID<User>]) async throws -> [ID<User>: ScreenedBy] {
        let places = users.map { Place($0, item: 0) }
        let values = try await secrets(.screenedBy, at: places)
        var known: [ID<User>: ScreenedBy] = [:]
        for (user, place) in zip(users, places) {
            if let bytes = values[place] { known[user] = try ScreenedBy(bytes) }
        }
        return known
    }
}

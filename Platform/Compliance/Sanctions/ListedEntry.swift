import Kernel
import PostgreSQL
import Screening

/// An entry in force with the names of persons and the addresses that it lists: what customers are compared with.
struct ListedEntry: Sendable {
    /// A name of an entry.
    struct Name: Sendable {
        let text: String
        let isWeak: Bool
        let screened: ScreenedName

        /// Nil for a kind of name that isn't known.
        init?(_ row: Row, read: (String, ScreenedName.Kind) -> ScreenedName = { ScreenedName($0, kind: $1) }) throws {
            guard let kind = ScreenedName.Kind(rawValue: try row["kind"]) else { return nil }
            (text, isWeak) = (try row["name"], try row["is_weak"])
            screened = read(text, kind)
        }
    }

    let entry: SanctionsEntry
    let names: [Name]
    /// In the one form in which addresses are compared.
    let addresses: [String]

    /// Reads an entry; nil for one that is gone.
    init?(_ id: ID<SanctionsEntry>, pool: Pool) async throws {
        let results = try await pool.withConnection { connection in
            try await connection.pipeline([
                """
                select id, source, key, former_keys, digest, births, countries
                from platform.sanctions_entries where id = \(id) and gone_version is null
                """,
                "select name, is_weak, kind from platform.sanctions_names where entry = \(id) and kind = 'person'",
                "select address from platform.sanctions_addresses where entry = \(id) order by address",
            ])
        }
        guard let row = results[0].first else { return nil }
        entry = try SanctionsEntry(row)
        names = try results[1].compactMap { try Name($0) }
        addresses = try results[2].map { try $0["address"] }
    }

    /// The names that are like a customer's.
    func alike(_ name: String) -> [SanctionsScreening.Alike] {
        let asked = ScreenedName(name)
        return names.compactMap { SanctionsScreening.Alike(asked, $0, of: entry.id) }
    }
}

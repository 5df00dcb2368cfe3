import PostgreSQL

/// Table `data_types`: what is kept encrypted, and how.
struct DataCatalog: Sendable {
    struct Entry: Sendable {
        let search: Normalisation?
        let bytesMax: Int
    }

    let pool: Pool

    /// The entries of kinds.
    ///
    /// - Throws: `unknownType` for one that isn't there.
    func entries(of types: [DataType]) async throws -> [DataType: Entry] {
        let rows = try await pool.query(
            "select name, search, bytes_max from platform.data_types where name = any(\(types.map(\.name)))"
        )
        var entries: [DataType: Entry] = [:]
        for row in rows { entries[DataType(try row[0])] = Entry(search: try row[1], bytesMax: try row[2]) }
        for type in types where entries[type] == nil { throw DataProtectionProblem.unknownType(type.name) }
        return entries
    }
}

/// One file of the program, or one row of the history, and how they stand to each other.
public struct MigrationStatus: Hashable, Sendable {
    /// How a file and the history stand to each other.
    public enum State: Hashable, Sendable, CustomStringConvertible {
        /// Applied as it is.
        case applied(AppliedMigration)
        /// Still to be applied.
        case pending
        /// The two contradict each other.
        case fault(MigrationFault)

        /// As operators read it.
        public var description: String {
            switch self {
            case .applied(let row): "applied \(row.appliedAt)"
            case .pending: "pending"
            case .fault(let fault): fault.description
            }
        }
    }

    /// The path below the directory of migrations.
    public let path: String
    /// How it stands.
    public let state: State
}

extension SchemaState {
    /// All files in their order, then what was applied and isn't there.
    var status: [MigrationStatus] {
        let faults = Dictionary(grouping: faults, by: \.path)
        let byNumber = Dictionary(uniqueKeysWithValues: applied.map { ($0.number, $0) })
        var status = migrations.map { migration in
            if let fault = faults[migration.path]?.first {
                return MigrationStatus(path: migration.path, state: .fault(fault))
            }
            guard let row = byNumber[migration.number], row.name == migration.name else {
                return MigrationStatus(path: migration.path, state: .pending)
            }
            return MigrationStatus(path: migration.path, state: .applied(row))
        }
        let known = Set(migrations.map(\.path))
        for row in applied where !known.contains(row.path) {
            status.append(MigrationStatus(path: row.path, state: .fault(.missing(path: row.path))))
        }
        return status
    }
}

extension MigrationFault {
    /// The file that it is about.
    public var path: String {
        switch self {
        case .changed(let path, _, _), .missing(let path), .skipped(let path): path
        }
    }
}

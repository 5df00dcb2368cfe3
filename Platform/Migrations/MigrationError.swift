public import PostgreSQL

/// Why migrations can't be read, or were not run.
public enum MigrationError: Error, Hashable, Sendable {
    /// Which way a migration is taken.
    public enum Direction: String, Hashable, Sendable {
        /// Forwards.
        case up
        /// Back.
        case down
    }

    /// A statement that the server refused.
    public struct Failure: Hashable, Sendable {
        /// The file.
        public let path: String
        /// The line of the file where the server saw the fault; where the statement starts if it didn't say.
        public let line: Int
        /// Which part of the file.
        public let direction: Direction
        /// Whether the rest of the file was rolled back; false for a file without a transaction.
        public let wasRolledBack: Bool
        /// SQLSTATE, five characters.
        public let state: String
        /// The server's message.
        public let message: String
        /// The server's detail, or an empty text.
        public let detail: String
    }

    /// There is no directory of migrations; these places were looked at.
    case noDirectory([String])
    /// A directory or file can't be read.
    case unreadable(path: String, reason: String)
    /// A folder or file is not named as migrations are.
    case badName(path: String)
    /// A file is not laid out as migrations are.
    case badFormat(path: String, line: Int, reason: String)
    /// Two files of a schema have the same number.
    case sameNumber(String, String)
    /// A number of a schema is left out.
    case gap(schema: Schema, number: Int)
    /// The program brings no migrations for that schema.
    case unknownSchema(Schema)
    /// The schema has no migration of that number, or the target lies on the other side of where the schema is.
    case noSuchNumber(schema: Schema, number: Int)
    /// A target number was given for several schemas.
    case numberNeedsOneSchema
    /// Another migrator holds the lock.
    case locked(holder: Int?, waitedSeconds: Int)
    /// The session that held the lock broke.
    case lockLost
    /// What the database says was applied is not what the program brings along.
    case history([MigrationFault])
    /// A statement failed.
    case failed(Failure)
    /// There is no way back from that file.
    case irreversible(path: String)
    /// Migrations are still to be applied, these.
    case pending([String])
}

extension MigrationError: CustomStringConvertible {
    /// What happened, where, and what to do.
    public var description: String {
        switch self {
        case .noDirectory(let places):
            "There is no directory of migrations; looked at \(places.joined(separator: ", ")). Set DIBOAS_MIGRATIONS."
        case .unreadable(let path, let reason): "\(path): \(reason)."
        case .badName(let path):
            "\(path): folders are named as schemas are, files `NNNN_what_it_does.sql`, from 0001 on."
        case .badFormat(let path, let line, let reason): "\(path):\(line): \(reason)."
        case .sameNumber(let first, let second): "\(first) and \(second) have the same number."
        case .gap(let schema, let number): "\(schema): number \(Migration.padded(number)) is left out."
        case .unknownSchema(let schema): "\(schema): there are no migrations for this schema."
        case .noSuchNumber(let schema, let number): "\(schema): number \(number) can't be reached this way."
        case .numberNeedsOneSchema: "A number to migrate to needs exactly one schema."
        case .locked(let holder, let seconds):
            "Another migrator\(holder.map { " (process \($0))" } ?? "") held the lock for \(seconds) s. Try again."
        case .lockLost: "The session that held the migrators' lock broke. Run the command again."
        case .history(let faults): faults.map(\.description).joined(separator: "\n")
        case .failed(let failure): failure.description
        case .irreversible(let path): "\(path): its `down` part is empty, so there is no way back."
        case .pending(let paths):
            "\(paths.count) migrations are to be applied: \(paths.joined(separator: ", ")). Run `diboas migrate up`."
        }
    }
}

extension MigrationError.Failure: CustomStringConvertible {
    /// File, line, SQLSTATE, message, and what became of the rest.
    public var description: String {
        let detail = detail.isEmpty ? "" : " (\(detail))"
        let rest = wasRolledBack ? "The file was rolled back." : "The file has no transaction; it can be run again."
        return "\(path):\(line): \(direction.rawValue): \(state): \(message)\(detail). \(rest)"
    }
}

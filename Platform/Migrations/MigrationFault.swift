/// A difference between what was applied and what the program brings along.
public enum MigrationFault: Hashable, Sendable {
    /// The file was changed after it was applied.
    case changed(path: String, applied: String, present: String)
    /// A file that was applied isn't there: the program is older than the schema.
    case missing(path: String)
    /// A later one was applied and this one was not.
    case skipped(path: String)
}

extension MigrationFault: CustomStringConvertible {
    /// What is different, and what to do.
    public var description: String {
        switch self {
        case .changed(let path, let applied, let present):
            """
            \(path): changed after it was applied (checksum then \(applied.prefix(12))…, now \(present.prefix(12))…). \
            Restore the file and write a new one.
            """
        case .missing(let path): "\(path): was applied, but this program doesn't have it: it is older than the schema."
        case .skipped(let path): "\(path): was not applied, but a later one was."
        }
    }
}

/// Why an embedded server could not be started or used.
public enum EmbeddedServerError: Error, Hashable, Sendable {
    /// A program isn't installed; `package` is the Debian package that has it.
    case programMissing(path: String, package: String)
    /// As root, servers run as this user, which doesn't exist on this machine.
    case accountMissing(name: String, package: String)
    /// The user that the server runs as may not pass through this directory.
    case unreachable(directory: String, account: String)
    /// Another process of ours holds the directory.
    case inUse(directory: String)
    /// The data was written by another major version of PostgreSQL.
    case otherVersion(found: String, wanted: String)
    /// Processes of an earlier server still work in the directory and did not leave within the time given to them.
    case orphansStay(directory: String, pids: [Int32])
    /// The program ended where it should not have; with the last lines that it wrote.
    case ended(program: String, status: String, lastLines: String)
    /// The server still ran, but was not ready within the bound; with the last lines that it wrote.
    case notReady(program: String, afterSeconds: Int, lastLines: String)
    /// A system call failed on this path with this `errno`.
    case system(call: String, path: String, errno: Int32)
}

extension EmbeddedServerError: CustomStringConvertible {
    /// What happened and what to do about it, in a sentence.
    public var description: String {
        switch self {
        case .programMissing(let path, let package):
            "\(path) is missing: install the Debian package \(package)"
        case .accountMissing(let name, let package):
            "the servers don't run as root, and the user \(name) doesn't exist: install the Debian package \(package)"
        case .unreachable(let directory, let account):
            "the user \(account) may not pass through \(directory): set DIBOAS_HOME to a directory that it can reach"
        case .inUse(let directory):
            "\(directory) is in use by another process: stop it, or set DIBOAS_HOME to another directory"
        case .otherVersion(let found, let wanted):
            "the data was written by PostgreSQL \(found), this program runs \(wanted): upgrade it with pg_upgrade"
        case .orphansStay(let directory, let pids):
            "an earlier server's processes still work in \(directory): \(pids.map(String.init).joined(separator: ", "))"
        case .ended(let program, let status, let lastLines):
            "\(program) ended with \(status); its last lines:\n\(lastLines)"
        case .notReady(let program, let seconds, let lastLines):
            "\(program) was not ready after \(seconds) s; its last lines:\n\(lastLines)"
        case .system(let call, let path, let code):
            "\(call) failed on \(path): errno \(code)"
        }
    }
}

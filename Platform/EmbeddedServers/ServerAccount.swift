import Glibc

/// The unprivileged user that a server runs as when we are root.
struct ServerAccount: Sendable {
    let name: String
    let uid: uid_t
    let gid: gid_t

    /// The user of that name when we are root; nil when we aren't: then the server runs as we do.
    static func whenRoot(named name: String, package: String) throws(EmbeddedServerError) -> ServerAccount? {
        guard geteuid() == 0 else { return nil }
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        // An entry of /etc/passwd is some hundred bytes; 16 KiB is what sysconf suggests at most.
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
            throw .accountMissing(name: name, package: package)
        }
        return ServerAccount(name: name, uid: entry.pw_uid, gid: entry.pw_gid)
    }

    /// Throws `.unreachable` unless the user may pass through a directory and all above it.
    ///
    /// Group rights are not looked at: what they would allow on one machine fails on the next.
    func checkReaches(_ directory: String) throws(EmbeddedServerError) {
        var path = ""
        for component in directory.split(separator: "/") {
            path += "/" + component
            var status = stat()
            guard stat(path, &status) == 0 else { throw .system(call: "stat", path: path, errno: errno) }
            let passes = status.st_uid == uid ? status.st_mode & S_IXUSR : status.st_mode & S_IXOTH
            guard passes != 0 else { throw .unreachable(directory: path, account: name) }
        }
    }
}

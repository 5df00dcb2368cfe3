import CSpawn
import Glibc

/// A command line, the user that it runs as, and where its output goes.
struct Command: Sendable {
    /// The program's path.
    let program: String
    /// Its arguments, without the program.
    let arguments: [String]
    /// The file that stdout and stderr are appended to; opened before the user is changed.
    let outputPath: String
    /// The user to become; nil for the present one.
    var account: ServerAccount?
    /// The name of the signal that the program gets when we die (`INT`); nil for none.
    var deathSignal: String?

    /// The program behind `setpriv`, which gives up root, sets the death signal and becomes the program with the same
    /// pid.
    ///
    /// A parent that dies before `setpriv` gets that far leaves the program behind; the next start finds it by its
    /// directory.
    private var line: [String] {
        guard account != nil || deathSignal != nil else { return [program] + arguments }
        var line = [Command.setpriv]
        if let account { line += ["--reuid=\(account.uid)", "--regid=\(account.gid)", "--clear-groups"] }
        if let deathSignal { line += ["--pdeathsig", deathSignal] }
        return line + ["--", program] + arguments
    }

    static let setpriv = "/usr/bin/setpriv"

    /// Nothing is inherited: a stray PGDATA or LD_PRELOAD must not steer a server.
    private static let environment = ["PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=/"]

    /// Starts the program in a process group of its own, so that a Ctrl-C at the terminal reaches us alone and servers
    /// stop in our order.
    func spawn() throws(EmbeddedServerError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        posix_spawn_file_actions_addchdir_np(&actions, "/")

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that this program ignores or blocks are inherited through exec unless they are reset here.
        var all = sigset_t()
        sigfillset(&all)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let line = line
        var pid: pid_t = 0
        let failure = withCStrings(line) { arguments in
            withCStrings(Command.environment) { environment in
                posix_spawn(&pid, line[0], &actions, &attributes, arguments, environment)
            }
        }
        guard failure == 0 else { throw .system(call: "posix_spawn", path: line[0], errno: failure) }
        return pid
    }

    private func withCStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }
}

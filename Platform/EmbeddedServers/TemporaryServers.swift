import Foundation
import Glibc
import Synchronization

/// Servers whose data nobody needs after this process, and their directories: in memory where it has room, else under
/// `/tmp`.
///
/// They go at `stop()`, else when the process exits, else, when it was killed, with the next one that asks for such a
/// server.
enum TemporaryServers {
    private static let prefix = "diboas-test-"
    /// A directory this young may belong to a process that hasn't taken its lock yet.
    private static let sweptAfterSeconds = 60
    private static let exitSecondsMax = 10
    /// Copying a database of two thousand files takes the processor a quarter of the time there.
    private static let memory = "/dev/shm"
    /// What must be free of it.
    private static let memoryBytesMin: UInt64 = 8 << 30
    private static let home = hasMemory ? memory : "/tmp"

    private struct Ending: Sendable {
        let child: Child
        let signal: Int32
        let directory: StateDirectory
    }

    private static let endings = Mutex<[Ending]>([])
    private static let registration: Void = {
        atexit { TemporaryServers.endAll() }
    }()

    /// A new directory, after those of killed processes are removed.
    static func makeDirectory() async throws -> StateDirectory {
        await sweep()
        return try StateDirectory.temporary(prefix: prefix, in: home)
    }

    private static var hasMemory: Bool {
        var status = statvfs()
        guard access(memory, W_OK | X_OK) == 0, statvfs(memory, &status) == 0 else { return false }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize) >= memoryBytesMin
    }

    /// Ends the server and removes its directory when this process exits.
    static func endAtExit(_ child: Child, signal: Int32, directory: StateDirectory) {
        _ = registration
        endings.withLock { $0.append(Ending(child: child, signal: signal, directory: directory)) }
    }

    private static func endAll() {
        let endings = endings.withLock { $0 }
        for ending in endings { ending.child.signal(ending.signal) }
        for ending in endings {
            _ = ending.child.blockUntilEnded(seconds: exitSecondsMax)
            ending.directory.remove()
        }
    }

    /// Removes directories of ours that no living process holds, with the servers that still run in them.
    static func sweep(olderThanSeconds: Int = sweptAfterSeconds) async {
        let names = ["/tmp", memory].flatMap { home in
            ((try? FileManager.default.contentsOfDirectory(atPath: home)) ?? [])
                .filter { $0.hasPrefix(prefix) }.map { "\(home)/\($0)" }
        }
        for directory in names.map(StateDirectory.init) {
            var status = stat()
            guard lstat(directory.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
                status.st_uid == geteuid(), time(nil) - status.st_mtim.tv_sec >= olderThanSeconds,
                let lock = try? DirectoryLock(directory)
            else { continue }
            try? await Orphans.clear(
                program: "postgres",
                workingIn: directory.appending("data").path,
                signal: SIGQUIT
            )
            let sockets = directory.appending("socket").path
            try? await Orphans.clear(program: "redis-server", workingIn: sockets, signal: SIGTERM)
            directory.remove()
            lock.release()
        }
    }
}

import Foundation
import Glibc
import Logging
import Testing

@testable import EmbeddedServers

@Suite(.serialized) struct `Servers whose parent died` {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A server started by a shell, which isn't us, in the directory where ours would be: nobody tells it to stop.
    private func leaveBehind(in directory: StateDirectory) async throws -> [pid_t] {
        let first = try await EmbeddedPostgres.start(in: directory, durability: .volatile, logger: logger)
        await first.stop()
        let account = try ServerAccount.whenRoot(named: "postgres", package: "")
        let data = directory.appending("data").path
        let script = """
            '\(PostgresStart.programs)postgres' -D '\(data)' -c 'config_file=\(directory.path)/postgresql.conf' \
            -c 'hba_file=\(directory.path)/pg_hba.conf' &
            """
        _ = try await Child.run(
            Command(
                program: "/bin/sh",
                arguments: ["-c", script],
                outputPath: directory.file("orphan.log"),
                account: account
            )
        )
        #expect(try await eventually { (directory.appending("data").read("postmaster.pid") ?? "").contains("ready") })
        return Orphans.pids(program: "postgres", workingIn: data)
    }

    @Test func `one that stayed is ended by the next start in its directory`() async throws {
        let parent = try StateDirectory.temporary(prefix: "diboas-embedded-")
        defer { parent.remove() }
        chmod(parent.path, 0o755)
        let directory = parent.appending("pg")
        let orphans = try await leaveBehind(in: directory)
        #expect(orphans.count > 1)
        let server = try await EmbeddedPostgres.start(in: directory, durability: .volatile, logger: logger)
        #expect(orphans.allSatisfy(isGone))
        #expect(try await Psql(url: server.url(database: "postgres"))("select 1") == "1")
        await server.stop()
    }

    @Test func `a temporary one goes with the sweep, one in use stays`() async throws {
        let left = try StateDirectory.temporary(prefix: "diboas-test-")
        let orphans = try await leaveBehind(in: left)
        let living = try await EmbeddedPostgres.startTemporary(logger: logger)
        #expect(FileManager.default.fileExists(atPath: left.path), "too young to be swept")
        await TemporaryServers.sweep(olderThanSeconds: 0)
        #expect(!FileManager.default.fileExists(atPath: left.path))
        #expect(orphans.allSatisfy(isGone))
        #expect(try await Psql(url: living.url(database: "postgres"))("select 1") == "1")
        await living.stop()
    }

    @Test func `the kernel tells a program that its parent died`() async throws {
        let output = try StateDirectory.temporary(prefix: "diboas-embedded-")
        defer { output.remove() }
        // The shell stands for this process: it starts a program as servers are started, says its pid, and is killed.
        let parent = try await Child.start(
            Command(
                program: "/bin/sh",
                arguments: ["-c", "\(Command.setpriv) --pdeathsig TERM -- /bin/sleep 1000 & echo $!; wait"],
                outputPath: output.file("pid")
            )
        )
        #expect(try await eventually { output.read("pid")?.hasSuffix("\n") == true })
        let pid = try #require(pid_t((output.read("pid") ?? "").trimmingCharacters(in: .newlines)))
        // Until setpriv has become sleep, the signal isn't set yet.
        #expect(
            try await eventually { (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) == "sleep\n" }
        )
        parent.signal(SIGKILL)
        _ = await parent.ended()
        #expect(try await eventually { isGone(pid) })
    }

    /// A program whose parent died may stay as a zombie where nobody reaps.
    private func isGone(_ pid: pid_t) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
        return status.contains(") Z ")
    }
}

@Suite struct `A child` {
    private func command(_ script: String, output: StateDirectory, deathSignal: String? = nil) -> Command {
        var command = Command(program: "/bin/sh", arguments: ["-c", script], outputPath: output.file("output"))
        command.deathSignal = deathSignal
        return command
    }

    private func inDirectory(_ body: (StateDirectory) async throws -> Void) async throws {
        let directory = try StateDirectory.temporary(prefix: "diboas-embedded-")
        defer { directory.remove() }
        try await body(directory)
    }

    @Test(arguments: [("exit 0", Child.Exit.status(0)), ("exit 7", .status(7)), ("kill -9 $$", .signal(9))])
    func `its end is told as it was`(script: String, exit: Child.Exit) async throws {
        try await inDirectory { directory in
            let ended = try await Child.run(command(script, output: directory))
            #expect(ended == exit)
        }
    }

    @Test func `a program that isn't there is told at the start`() async throws {
        await #expect(throws: EmbeddedServerError.system(call: "posix_spawn", path: "/nowhere", errno: ENOENT)) {
            try await Child.start(Command(program: "/nowhere", arguments: [], outputPath: "/dev/null"))
        }
    }

    @Test func `it inherits neither files nor variables nor ignored signals, and has a group of its own`() async throws
    {
        try await inDirectory { directory in
            let inherited = open("/dev/null", O_RDONLY)
            defer { close(inherited) }
            setenv("DIBOAS_STRAY", "1", 1)
            defer { unsetenv("DIBOAS_STRAY") }
            let handler = signal(SIGUSR2, SIG_IGN)
            defer { signal(SIGUSR2, handler) }
            let script = """
                ls /proc/self/fd | wc -l; echo "[$DIBOAS_STRAY]"; grep SigIgn /proc/self/status; pwd; ps -o pgid= -p $$
                """
            let child = try await Child.start(command(script, output: directory))
            #expect(await child.ended() == .status(0))
            let lines = (directory.read("output") ?? "").split(separator: "\n").map(String.init)
            // stdin, stdout, stderr, and the directory that ls reads.
            #expect(lines.count == 5 && lines[0] == "4" && lines[1] == "[]" && lines[3] == "/")
            // The C library keeps the 32nd and 33rd for itself, they may be ignored since the machine's first process.
            let ignored = UInt64(lines[2].split(separator: "\t").last ?? "", radix: 16)
            #expect(ignored.map { $0 & 0x7fff_ffff } == 0)
            #expect(lines.last?.trimmingCharacters(in: .whitespaces) == String(child.pid))
        }
    }

    @Test func `a signal after the end goes nowhere`() async throws {
        try await inDirectory { directory in
            let child = try await Child.start(command("exit 3", output: directory))
            _ = await child.ended()
            child.signal(SIGKILL)
            #expect(child.hasEnded == .status(3))
        }
    }

    @Test func `waiting ends when the task is cancelled, while the child goes on`() async throws {
        try await inDirectory { directory in
            let child = try await Child.start(command("exec sleep 1000", output: directory))
            let exit = await withTaskGroup(of: Child.Exit?.self) { group in
                group.addTask { await child.endedUnlessCancelled() }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(exit == nil)
            #expect(child.hasEnded == nil)
            child.signal(SIGTERM)
            #expect(await child.ended() == .signal(SIGTERM))
        }
    }
}

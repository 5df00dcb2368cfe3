import Foundation
import Glibc
import Logging
import Testing

@testable import EmbeddedServers

@Suite(.serialized) struct `An embedded PostgreSQL` {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a test in a directory of its own, whose path has what paths may have.
    private func inDirectory(
        named name: String = "a 'b' %c",
        _ body: (StateDirectory) async throws -> Void
    ) async throws {
        let parent = try StateDirectory.temporary(prefix: "diboas-embedded-")
        defer { parent.remove() }
        chmod(parent.path, 0o755)
        try await body(parent.appending(name))
    }

    @Test func `a temporary one answers, and takes its directory along`() async throws {
        let server = try await EmbeddedPostgres.startTemporary(logger: logger)
        try await server.createDatabase("it's \"one\"")
        try await server.createDatabase("it's \"one\"")
        let psql = Psql(url: server.url(database: "it's \"one\""))
        let shown = try await psql(
            """
            select current_database(), current_setting('server_encoding'), datcollate, datctype,
                current_setting('data_checksums'), current_setting('fsync'), current_setting('listen_addresses')
            from pg_database where datname = current_database()
            """
        )
        #expect(shown == "it's \"one\"|UTF8|C|C|on|off|")
        let directory = server.directory.path
        await server.stop()
        await server.stop()
        #expect(server.child.hasEnded != nil)
        #expect(!FileManager.default.fileExists(atPath: directory))
    }

    @Test func `what is committed survives a stop, and the second start makes no cluster anew`() async throws {
        try await inDirectory { directory in
            let first = try await EmbeddedPostgres.start(in: directory, logger: logger)
            let psql = Psql(url: first.url(database: "postgres"))
            #expect(try await psql("show fsync") == "on")
            #expect(try await psql("show synchronous_commit") == "on")
            #expect(try await psql("show wal_compression") == "lz4")
            _ = try await psql("create table kept as select 42 as number")
            await first.stop()
            let second = try await EmbeddedPostgres.start(in: directory, logger: logger)
            #expect(try await Psql(url: second.url(database: "postgres"))("select number from kept") == "42")
            await second.stop()
        }
    }

    @Test func `after a kill it recovers, and a pid that belongs to somebody else by now doesn't matter`() async throws
    {
        try await inDirectory { directory in
            let first = try await EmbeddedPostgres.start(in: directory, logger: logger)
            _ = try await Psql(url: first.url(database: "postgres"))("create table kept as select 42 as number")
            first.child.signal(SIGKILL)
            #expect(await first.endedUnlessCancelled() == "signal 9")
            await first.stop()
            let pidFile = directory.appending("data").file("postmaster.pid")
            let lines = try String(contentsOfFile: pidFile, encoding: .utf8).split(separator: "\n")
            let stolen = ([String(getpid())] + lines.dropFirst().map(String.init)).joined(separator: "\n")
            try Data(stolen.utf8).write(to: URL(fileURLWithPath: pidFile))
            let second = try await EmbeddedPostgres.start(in: directory, logger: logger)
            #expect(try await Psql(url: second.url(database: "postgres"))("select number from kept") == "42")
            await second.stop()
        }
    }

    @Test func `a cluster whose making was interrupted is made anew`() async throws {
        try await inDirectory { directory in
            let draft = directory.appending("data.new")
            try draft.create(mode: 0o700)
            try draft.write("15\n", to: "PG_VERSION", mode: 0o600)
            let server = try await EmbeddedPostgres.start(in: directory, durability: .volatile, logger: logger)
            #expect(try await Psql(url: server.url(database: "postgres"))("select 1") == "1")
            await server.stop()
        }
    }

    @Test func `over TCP it asks for the password that it was given`() async throws {
        try await inDirectory { directory in
            let server = try await EmbeddedPostgres.start(
                in: directory,
                durability: .volatile,
                loopbackPort: 0,
                logger: logger
            )
            let loopback = try #require(server.loopback)
            let url = "postgresql://postgres@127.0.0.1:\(loopback.port)/postgres"
            #expect(try await Psql(url: url, password: loopback.password)("select 1") == "1")
            #expect(try await Psql(url: server.url(database: "postgres"))("select 2") == "2")
            await #expect(throws: Psql.Refused.self) { try await Psql(url: url, password: "wrong")("select 1") }
            await #expect(throws: Psql.Refused.self) { try await Psql(url: url)("select 1") }
            await server.stop()
        }
    }

    @Test func `nobody else may enter the directory of the socket`() async throws {
        let server = try await EmbeddedPostgres.startTemporary(logger: logger)
        var status = stat()
        #expect(stat(server.socketDirectory, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        #expect(stat(server.directory.appending("data").path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        #expect(status.st_uid != 0)
        await server.stop()
    }

    @Test func `a path too long for a socket gets one elsewhere, which goes at the stop`() async throws {
        try await inDirectory(named: String(repeating: "long", count: 25)) { directory in
            let server = try await EmbeddedPostgres.start(in: directory, durability: .volatile, logger: logger)
            #expect(!server.socketDirectory.hasPrefix(directory.path))
            #expect(try await Psql(url: server.url(database: "postgres"))("select 1") == "1")
            await server.stop()
            #expect(!FileManager.default.fileExists(atPath: server.socketDirectory))
            #expect(FileManager.default.fileExists(atPath: directory.path))
        }
    }

    @Test func `a second one in the same directory is refused, and the first goes on`() async throws {
        let server = try await EmbeddedPostgres.startTemporary(logger: logger)
        await #expect(throws: EmbeddedServerError.inUse(directory: server.directory.path)) {
            try await EmbeddedPostgres.start(in: server.directory, logger: logger)
        }
        #expect(try await Psql(url: server.url(database: "postgres"))("select 1") == "1")
        await server.stop()
    }

    @Test func `data of another major version is refused and left alone`() async throws {
        try await inDirectory { directory in
            let data = directory.appending("data")
            try data.create(mode: 0o700)
            try data.write("14\n", to: "PG_VERSION", mode: 0o600)
            await #expect(throws: EmbeddedServerError.otherVersion(found: "14", wanted: "15")) {
                try await EmbeddedPostgres.start(in: directory, logger: logger)
            }
            #expect(data.read("PG_VERSION") == "14\n")
        }
    }

    @Test func `a server that can't start says why, and the directory is free again`() async throws {
        try await inDirectory { directory in
            let server = try await EmbeddedPostgres.start(in: directory, durability: .volatile, logger: logger)
            await server.stop()
            let control = directory.appending("data").appending("global").file("pg_control")
            try FileManager.default.removeItem(atPath: control)
            for _ in 1...2 {
                let error = await #expect(throws: EmbeddedServerError.self) {
                    try await EmbeddedPostgres.start(in: directory, logger: logger)
                }
                guard case .ended(let program, _, let lines)? = error else {
                    Issue.record("another error: \(String(describing: error))")
                    return
                }
                #expect(program == "postgres")
                #expect(lines.contains("pg_control") || lines.contains("could not find the database system"))
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func `as root a directory that the server's user can't reach is refused`()
        async throws
    {
        let parent = try StateDirectory.temporary(prefix: "diboas-embedded-")
        defer { parent.remove() }
        let directory = parent.appending("inside")
        await #expect(throws: EmbeddedServerError.unreachable(directory: parent.path, account: "postgres")) {
            try await EmbeddedPostgres.start(in: directory, logger: logger)
        }
    }

    @Test func `a start that is cancelled leaves no server behind`() async throws {
        try await inDirectory { directory in
            let first = try await EmbeddedPostgres.start(in: directory, durability: .volatile, logger: logger)
            await first.stop()
            let wasCancelled = await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    do {
                        _ = try await EmbeddedPostgres.start(in: directory, logger: logger)
                        return false
                    } catch {
                        return error is CancellationError
                    }
                }
                group.cancelAll()
                return await group.next() ?? false
            }
            #expect(wasCancelled)
            #expect(Orphans.pids(program: "postgres", workingIn: directory.appending("data").path).isEmpty)
            _ = try DirectoryLock(directory)
        }
    }
}

import Foundation
import Glibc
import Logging
import Testing

@testable import EmbeddedServers

@Suite struct `An embedded Redis` {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func ask(_ server: EmbeddedRedis, _ words: String...) async throws -> String {
        let output = try StateDirectory.temporary(prefix: "diboas-redis-cli-")
        defer { output.remove() }
        let exit = try await Child.run(
            Command(
                program: "/usr/bin/redis-cli",
                arguments: ["-s", server.socketPath] + words,
                outputPath: output.file("output")
            )
        )
        #expect(exit == .status(0))
        return (output.read("output") ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func `a temporary one answers, keeps nothing on disk, and takes its directory along`() async throws {
        let server = try await EmbeddedRedis.startTemporary(logger: logger)
        #expect(server.url == "unix://" + server.socketPath)
        #expect(try await ask(server, "PING") == "PONG")
        #expect(try await ask(server, "CONFIG", "GET", "save").split(separator: "\n") == ["save"])
        #expect(try await ask(server, "CONFIG", "GET", "appendonly") == "appendonly\nno")
        #expect(try await ask(server, "CONFIG", "GET", "port") == "port\n0")
        var status = stat()
        let sockets = URL(fileURLWithPath: server.socketPath).deletingLastPathComponent()
        #expect(stat(sockets.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        #expect(status.st_uid != 0)
        await server.stop()
        await server.stop()
        #expect(!FileManager.default.fileExists(atPath: sockets.deletingLastPathComponent().path))
    }

    @Test func `it starts again where it was killed`() async throws {
        let parent = try StateDirectory.temporary(prefix: "diboas-embedded-")
        defer { parent.remove() }
        chmod(parent.path, 0o755)
        let directory = parent.appending("a b")
        let first = try await EmbeddedRedis.start(in: directory, logger: logger)
        await #expect(throws: EmbeddedServerError.inUse(directory: directory.path)) {
            try await EmbeddedRedis.start(in: directory, logger: logger)
        }
        let pids = Orphans.pids(program: "redis-server", workingIn: directory.appending("socket").path)
        #expect(pids.count == 1)
        for pid in pids { kill(pid, SIGKILL) }
        #expect(await first.endedUnlessCancelled() == "signal 9")
        await first.stop()
        let second = try await EmbeddedRedis.start(in: directory, logger: logger)
        #expect(try await ask(second, "PING") == "PONG")
        await second.stop()
    }
}

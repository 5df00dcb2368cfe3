import Foundation
import Glibc
import Synchronization
import Testing

/// `diboas dev` with a home and a port of its own.
///
/// A shell holds it and waits on our end of a pipe, so that the server ends when this process does, however it ends.
final class RunningServer: Sendable {
    static let readySeconds = 60.0

    let port: Int
    let home: String
    /// The server's process.
    let pid: pid_t
    private let holder: Mutex<Process>
    private let leash: FileHandle
    private let log: String

    private init(port: Int, home: String, pid: pid_t, holder: sending Process, leash: FileHandle, log: String) {
        (self.port, self.home, self.pid, self.leash, self.log) = (port, home, pid, leash, log)
        self.holder = Mutex(holder)
    }

    /// Starts one and waits until it is ready.
    static func start(home: String, port: Int? = nil) async throws -> RunningServer {
        let port = try port ?? freePort()
        let server = try await onThread { try launch(home: home, port: port) }
        let client = WireClient(port: port)
        let deadline = ContinuousClock.now + .seconds(readySeconds)
        while ContinuousClock.now < deadline, server.isAlive {
            if let answer = try? await client.send("GET", "/readyz"), answer.status == 200 { return server }
            try await Task.sleep(for: .milliseconds(50))
        }
        let said = server.output
        await server.stop()
        throw Failure(what: "the server isn't ready; it said: \(said)")
    }

    struct Failure: Error, CustomStringConvertible {
        let what: String
        var description: String { what }
    }

    private static let script = #"""
        "$0" dev </dev/null >>"$1" 2>&1 &
        echo $!
        read -r _
        kill -TERM $! 2>/dev/null
        wait $!
        """#

    private static func launch(home: String, port: Int) throws -> RunningServer {
        let log = home + "/server.log"
        if !FileManager.default.fileExists(atPath: log) { try "".write(toFile: log, atomically: false, encoding: .utf8) }
        let (input, output) = (Pipe(), Pipe())
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, Program.executable, log]
        process.environment = Program.environment(["DIBOAS_HOME": home, "DIBOAS_HTTP_PORT": String(port)])
        process.currentDirectoryURL = URL(fileURLWithPath: Program.root)
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let pid = pid_t(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Failure(what: "the shell didn't start the server: \(line)")
        }
        return RunningServer(
            port: port, home: home, pid: pid, holder: process, leash: input.fileHandleForWriting, log: log)
    }

    /// What it wrote, for failures.
    var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// Whether the process is there.
    var isAlive: Bool { Glibc.kill(pid, 0) == 0 }

    /// What its operator's commands need.
    var environment: [String: String] {
        var values = ["DIBOAS_HOME": home]
        let text = (try? String(contentsOfFile: home + "/environment", encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") {
            let parts = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[String(parts[0])] = parts[1].trimmingCharacters(in: ["'"]) }
        }
        return values
    }

    /// Runs an operator's command on its data.
    func command(_ arguments: String...) async throws -> Program.Outcome {
        try await Program.run(arguments, environment: environment)
    }

    /// Ends it as Ctrl-C does and waits until it is gone.
    func stop() async {
        Glibc.kill(pid, SIGINT)
        await waitForEnd(within: 20)
        await release()
    }

    /// Ends it as a power cut does, and waits until it is gone.
    func kill() async {
        Glibc.kill(pid, SIGKILL)
        await release()
    }

    private func waitForEnd(within seconds: Double) async {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while isAlive, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(20)) }
    }

    /// Lets go of the shell, which sees to it that the server is gone.
    private func release() async {
        try? leash.close()
        await waitForEnd(within: 20)
        Glibc.kill(pid, SIGKILL)
    }

    /// A port that was free a moment ago.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isBound else { throw Failure(what: "no free port") }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}

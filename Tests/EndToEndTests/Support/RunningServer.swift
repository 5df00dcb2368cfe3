import Foundation
import Glibc
import Synchronization
import Testing

/// `diboas dev`, or another command that serves, with a home and a port of its own.
///
/// It ends when this process does, however that ends.
final class RunningServer: Sendable {
    static let readySeconds = 180.0

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
    static func start(
        home: String,
        port: Int? = nil,
        settings: [String: String] = [:],
        command: String = "dev"
    ) async throws -> RunningServer {
        let port = try port ?? freePort()
        let server = try await onThread { try launch(command, home: home, port: port, settings: settings) }
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

    /// The shell becomes the server; what it leaves behind ends it when our end of the pipe is closed without a word.
    private static let script = #"""
        exec 3<&0
        (read -r word <&3; [ "$word" = gone ] || kill -TERM $$) </dev/null >/dev/null 2>&1 &
        exec "$0" "$2" 3<&- </dev/null >>"$1" 2>&1
        """#

    private static func launch(
        _ command: String,
        home: String,
        port: Int,
        settings: [String: String]
    ) throws -> RunningServer {
        let log = home + "/server.log"
        if !FileManager.default.fileExists(atPath: log) {
            try "".write(toFile: log, atomically: false, encoding: .utf8)
        }
        // Whoever reads our end of the pipe may be gone before us.
        signal(SIGPIPE, SIG_IGN)
        let input = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, Program.executable, log, command]
        process.environment = Program.environment(
            ["DIBOAS_DEMO_TRADERS": "off"].merging(settings) { $1 }
                .merging(["DIBOAS_HOME": home, "DIBOAS_HTTP_PORT": String(port)]) { $1 }
        )
        process.currentDirectoryURL = URL(fileURLWithPath: Program.root)
        process.standardInput = input
        try process.run()
        let pid = process.processIdentifier
        return RunningServer(
            port: port,
            home: home,
            pid: pid,
            holder: process,
            leash: input.fileHandleForWriting,
            log: log
        )
    }

    /// What it wrote, for failures.
    var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// Whether the process runs; one that only waits to be buried doesn't.
    var isAlive: Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        // proc(5): the name may hold anything, so the state is what follows the last parenthesis.
        return status.split(separator: ")").last?.dropFirst().first != "Z"
    }

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

    /// Ends it as Ctrl-C does, waits until it is gone, and says whether it went by itself.
    @discardableResult
    func stop() async -> Bool {
        Glibc.kill(pid, SIGINT)
        await waitForEnd(within: 60)
        let wentByItself = !isAlive
        await release()
        return wentByItself
    }

    /// Lets it stand still, as a machine does that is too busy, or go on.
    func freeze(_ isFrozen: Bool) { Glibc.kill(pid, isFrozen ? SIGSTOP : SIGCONT) }

    /// Ends it as a power cut does, and waits until it is gone.
    func kill() async {
        Glibc.kill(pid, SIGKILL)
        await release()
    }

    private func waitForEnd(within seconds: Double) async {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while isAlive, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(20)) }
    }

    /// Waits for the end, makes sure of it, and tells whoever watches our end of the pipe that there is nothing to end.
    private func release() async {
        await waitForEnd(within: 20)
        if isAlive { Glibc.kill(pid, SIGKILL) }
        try? leash.write(contentsOf: Array("gone\n".utf8))
        try? leash.close()
    }

    /// A port that was free a moment ago, below those that the system gives to clients.
    static func freePort() throws -> Int {
        for _ in 0..<portAttemptsMax {
            let port = Int.random(in: ports)
            if isFree(port) { return port }
        }
        throw Failure(what: "no free port")
    }

    private static let ports = 20_000...32_000
    private static let portAttemptsMax = 100

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

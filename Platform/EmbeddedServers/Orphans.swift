import Foundation
import Glibc

/// Processes that an earlier server left behind in its directory.
///
/// Only somebody who holds the directory's lock may look for them: then no living process of ours owns them.
enum Orphans {
    /// How long they get to leave: backends notice the death of their postmaster within seconds.
    static let leaveSecondsMax = 30
    /// After this they are asked to leave at once, without a shutdown checkpoint.
    static let insistAfterSeconds = 20
    private static let pollMilliseconds = 50

    /// Ends them and waits until they are gone; the oldest, the server itself, gets `signal`, which makes it end the
    /// others.
    static func clear(program: String, workingIn directory: String, signal: Int32) async throws {
        var signalled: Set<pid_t> = []
        let polls = leaveSecondsMax * 1_000 / pollMilliseconds
        for poll in 0..<polls {
            let left = pids(program: program, workingIn: directory)
            if left.isEmpty { return }
            if let server = left.first(where: { !left.contains(parent(of: $0)) }), signalled.insert(server).inserted {
                kill(server, signal)
            }
            if poll * pollMilliseconds == insistAfterSeconds * 1_000 { left.forEach { kill($0, SIGQUIT) } }
            try await Task.sleep(for: .milliseconds(pollMilliseconds))
        }
        let left = pids(program: program, workingIn: directory)
        guard left.isEmpty else { throw EmbeddedServerError.orphansStay(directory: directory, pids: left) }
    }

    /// Processes of that program whose working directory is this one.
    static func pids(program: String, workingIn directory: String) -> [pid_t] {
        let resolved = URL(fileURLWithPath: directory).resolvingSymlinksInPath().path
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { pid_t($0) }.sorted().filter { pid in
            link("/proc/\(pid)/cwd") == resolved
                && (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) == program + "\n"
        }
    }

    private static func link(_ path: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: path)
    }

    /// The fourth field of /proc/PID/stat, after the name in parentheses (proc(5)); 0 if it is gone.
    private static func parent(of pid: pid_t) -> pid_t {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let name = status.lastIndex(of: ")")
        else { return 0 }
        return status[name...].split(separator: " ").dropFirst(2).first.flatMap { pid_t($0) } ?? 0
    }
}

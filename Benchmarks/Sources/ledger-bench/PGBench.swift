import Foundation
import Glibc
import Measuring

/// Runs PostgreSQL's own benchmark program on the database.
struct PGBench: Sendable {
    /// What went wrong with it.
    enum Failure: Error, CustomStringConvertible {
        case notFound
        case ended(status: Int32, output: String)

        var description: String {
            switch self {
            case .notFound: "There is no pgbench. Install postgresql-15."
            case .ended(let status, let output): "pgbench ended with \(status): \(output.suffix(2000))"
            }
        }
    }

    /// Of so many transactions one is logged; a log of all costs pgbench a part of its speed.
    private static let sampledShare = "0.1"
    private static let places = ["/usr/lib/postgresql/15/bin/pgbench", "/usr/bin/pgbench", "/usr/local/bin/pgbench"]

    private let program: String
    private let url: String
    private let directory: String

    /// pgbench on a database, with files in a directory.
    init(url: String, directory: String) throws {
        guard let program = PGBench.places.first(where: FileManager.default.isExecutableFile) else {
            throw Failure.notFound
        }
        (self.program, self.url, self.directory) = (program, url, directory)
    }

    /// A script as a contestant, by prepared statements; one transaction of it counts as one operation.
    func contestant(_ name: String, clients: Int, script: String) -> Contestant {
        Contestant(name, clients: clients) { seconds in
            try await run(script, clients: clients, seconds: seconds)
        }
    }

    private func run(_ script: String, clients: Int, seconds: Int) async throws -> Round {
        let name = "\(directory)/pgbench-\(UInt32.random(in: .min ... .max))"
        let files = (script: name + ".sql", output: name + ".out", log: name)
        try script.write(toFile: files.script, atomically: false, encoding: .utf8)
        defer { removeAll(beginningWith: name) }
        let arguments = [
            "--no-vacuum", "--protocol=prepared", "--client=\(clients)", "--jobs=\(min(clients, 2))",
            "--time=\(seconds)", "--file=\(files.script)", "--log", "--log-prefix=\(files.log)",
            "--sampling-rate=\(PGBench.sampledShare)", url,
        ]
        let status = try await PGBench.ended(program, arguments, output: files.output)
        let output = (try? String(contentsOfFile: files.output, encoding: .utf8)) ?? ""
        guard status == 0, let done = number(after: "number of transactions actually processed: ", in: output),
            let perSecond = number(after: "tps = ", in: output), perSecond > 0
        else { throw Failure.ended(status: status, output: output) }
        return Round(
            operations: Int(done),
            seconds: done / perSecond,
            latencies: Latencies(milliseconds: latencies(beginningWith: files.log))
        )
    }

    private static func ended(_ program: String, _ arguments: [String], output: String) async throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let isThere = FileManager.default.createFile(atPath: output, contents: nil)
        guard isThere else { throw CocoaError(.fileWriteUnknown) }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        (process.standardOutput, process.standardError) = (file, file)
        defer { try? file.close() }
        return try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try startWithAllSignals(process) } catch { continuation.resume(throwing: error) }
        }
    }

    // A child inherits the signals that its parent's thread has blocked, on Swift's threads nearly all of them; pgbench
    // without its alarm signal would never end.
    private static func startWithAllSignals(_ process: Process) throws {
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
    }

    private func number(after label: String, in output: String) -> Double? {
        guard let label = output.range(of: label) else { return nil }
        return Double(output[label.upperBound...].prefix { $0.isNumber || $0 == "." })
    }

    // The third word of a line is the latency in microseconds (pgbench's manual, "Per-Transaction Logging").
    private func latencies(beginningWith prefix: String) -> [Double] {
        let logs = files(beginningWith: prefix + ".").filter { !$0.hasSuffix(".sql") && !$0.hasSuffix(".out") }
        return logs.flatMap { path in
            ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ", maxSplits: 3)
                return words.count > 2 ? Double(words[2]).map { $0 / 1000 } : nil
            }
        }
    }

    private func files(beginningWith prefix: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.map { "\(directory)/\($0)" }.filter { $0.hasPrefix(prefix) }
    }

    private func removeAll(beginningWith prefix: String) {
        for path in files(beginningWith: prefix) { try? FileManager.default.removeItem(atPath: path) }
    }
}

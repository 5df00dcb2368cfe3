import Kernel
import Measuring
import Synchronization

/// Rows as they come, from wherever they are measured.
final class Results: Sendable {
    private let report: Mutex<Report>

    /// No rows yet; `about` says what they hold for.
    init(about: [JSON.Member]) { report = Mutex(Report(about: about)) }

    /// Adds a row and prints it.
    func add(_ row: BenchmarkRow) { report.withLock { $0.add(row) } }

    /// Writes all of them for programs.
    func write(to path: String) throws { try report.withLock { try $0.write(to: path) } }
}

/// What a run over a file of vectors prints and how it ends.
public struct VectorOutcome: Hashable, Sendable {
    /// All vectors came out as expected; the exit code is 0.
    public static let passed: Int32 = 0
    /// A vector came out otherwise.
    public static let failed: Int32 = 1
    /// The file can't be read as a file of vectors.
    public static let unusable: Int32 = 2

    /// For people: the counts by kind, a line for each mismatch, the total.
    public let lines: [String]
    /// The command's exit code.
    public let exitCode: Int32

    /// Checks all vectors of a file by its contents.
    public init(running bytes: [UInt8]) {
        do throws(VectorFileError) {
            let report = try VectorFile(parsing: bytes).run()
            let passed = report.tallies.values.reduce(0) { $0 + $1.passed }
            let failed = report.tallies.values.reduce(0) { $0 + $1.failed }
            let total = report.tallies.isEmpty ? "no vectors in the file" : "total: \(passed) passed, \(failed) failed"
            lines = report.lines + [total]
            exitCode = report.passed ? Self.passed : Self.failed
        } catch {
            lines = [error.description]
            exitCode = Self.unusable
        }
    }
}

import Webhooks

/// `diboas inbox verify-vectors FILE.json`: runs signature vectors through the code that serves webhooks.
enum VerifyVectors {
    /// What the command prints and how it ends.
    struct Outcome: Sendable, Hashable {
        /// All vectors got their verdict; the exit code is 0.
        static let passed: Int32 = 0
        /// A vector got another verdict.
        static let failed: Int32 = 1
        /// The file can't be read as a file of vectors.
        static let unusable: Int32 = 2

        /// For people: the counts by provider, a line for each mismatch, the total.
        let lines: [String]
        /// The command's exit code.
        let exitCode: Int32
    }

    /// Checks all vectors of a file by its contents.
    static func run(_ bytes: [UInt8]) -> Outcome {
        do throws(VectorFileError) {
            let report = try VectorFile(parsing: bytes).run()
            let passed = report.tallies.values.reduce(0) { $0 + $1.passed }
            let failed = report.tallies.values.reduce(0) { $0 + $1.failed }
            let total = report.tallies.isEmpty ? "no vectors in the file" : "total: \(passed) passed, \(failed) failed"
            return Outcome(lines: report.lines + [total], exitCode: report.passed ? Outcome.passed : Outcome.failed)
        } catch {
            return Outcome(lines: ["not a file of vectors: \(description(error))"], exitCode: Outcome.unusable)
        }
    }

    private static func description(_ error: VectorFileError) -> String {
        switch error {
        case .json(let error): "no JSON, \(error)"
        case .format: "it has to be an object with \"format\": 1 and an array \"vectors\""
        case .tooManyVectors: "more than \(VectorFile.vectorsMax) vectors"
        case .vector(let position, let field): "vector \(position) has no usable \"\(field)\""
        }
    }
}

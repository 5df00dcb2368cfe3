public import Kernel

/// How the vectors of a file fared.
public struct VectorReport: Hashable, Sendable {
    /// The counts of one provider.
    public struct Tally: Hashable, Sendable {
        /// Vectors whose verdict was the expected one.
        public var passed = 0
        /// Vectors whose verdict was another.
        public var failed = 0
    }

    /// A vector that got another verdict than expected.
    public struct Mismatch: Hashable, Sendable {
        /// The vector.
        public let id: String
        /// The reason code in the file.
        public let expected: String
        /// The reason code that it got.
        public let actual: String
    }

    /// Counts by the provider's name in the file.
    public private(set) var tallies: [String: Tally] = [:]
    /// Mismatches in the order of the file.
    public private(set) var mismatches: [Mismatch] = []

    /// Whether there were vectors and each got its verdict.
    public var passed: Bool { !tallies.isEmpty && mismatches.isEmpty }

    /// The counts by provider in the order of their names, then a line for each mismatch, for people.
    public var lines: [String] {
        let counts = tallies.sorted { $0.key < $1.key }.map { provider, tally in
            "\(provider): \(tally.passed) passed, \(tally.failed) failed"
        }
        return counts + mismatches.map { "\($0.id): expected \($0.expected), got \($0.actual)" }
    }

    /// The same for programs.
    ///
    /// `{"passed": …, "providers": {NAME: {"passed": …, "failed": …}}, "mismatches": [{id, expected, actual}]}`.
    public var json: JSON {
        let providers = tallies.sorted { $0.key < $1.key }.map { provider, tally in
            JSON.Member(provider, ["passed": .integer(tally.passed), "failed": .integer(tally.failed)])
        }
        let failures = mismatches.map { mismatch in
            ["id": .string(mismatch.id), "expected": .string(mismatch.expected), "actual": .string(mismatch.actual)]
                as JSON
        }
        return ["passed": .bool(passed), "providers": .object(providers), "mismatches": .array(failures)]
    }

    mutating func add(provider: String, id: String, expected: String, actual: String, fits: Bool) {
        if fits {
            tallies[provider, default: Tally()].passed += 1
        } else {
            tallies[provider, default: Tally()].failed += 1
            mismatches.append(Mismatch(id: id, expected: expected, actual: actual))
        }
    }
}

/// How the vectors of a file fared.
public struct VectorReport: Hashable, Sendable {
    /// The counts of one kind.
    public struct Tally: Hashable, Sendable {
        /// Vectors that came out as expected.
        public var passed = 0
        /// Vectors that came out otherwise.
        public var failed = 0
    }

    /// A vector that came out otherwise than expected.
    public struct Mismatch: Hashable, Sendable {
        /// The vector.
        public let id: String
        /// The first field that differs: name, what the file has, what came out.
        public let difference: String
    }

    /// Counts by kind.
    public private(set) var tallies: [String: Tally] = [:]
    /// Mismatches in the order of the file.
    public private(set) var mismatches: [Mismatch] = []

    /// Whether each vector came out as expected; an empty file has nothing that didn't.
    public var passed: Bool { mismatches.isEmpty }

    /// The counts by kind in the order of their names, then a line for each mismatch, for people.
    public var lines: [String] {
        let counts = tallies.sorted { $0.key < $1.key }.map { kind, tally in
            "\(kind): \(tally.passed) passed, \(tally.failed) failed"
        }
        return counts + mismatches.map { "\($0.id): \($0.difference)" }
    }

    mutating func add(kind: String, id: String, difference: String?) {
        if let difference {
            tallies[kind, default: Tally()].failed += 1
            mismatches.append(Mismatch(id: id, difference: difference))
        } else {
            tallies[kind, default: Tally()].passed += 1
        }
    }
}

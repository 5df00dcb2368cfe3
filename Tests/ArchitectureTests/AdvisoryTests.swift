import Foundation
import Testing

/// Nothing that the project builds on is known to be vulnerable: `docs/advisories.json` has what is known.
@Suite struct AdvisoryTests {
    private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    struct Advisory: Decodable, Equatable {
        let id: String
        let package: String
        /// The first version of the package's latest line that hasn't the fault.
        let fixed: String
        let about: String
    }

    private struct Lock: Decodable {
        struct Pin: Decodable {
            struct State: Decodable { let version: String? }
            let identity: String
            let state: State
        }
        let pins: [Pin]
    }

    private static func read<Value: Decodable>(_ path: String, as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: "\(root)/\(path)")))
    }

    /// The numbers of a version; nil for what isn't one.
    private static func numbers(_ version: String) -> [Int]? {
        let numbers = version.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        return numbers.count == 3 && !numbers.contains(nil) ? numbers.compactMap { $0 } : nil
    }

    /// The advisories that hold for the packages at their versions; a version that can't be read counts as old.
    static func affecting(_ packages: [String: String], _ advisories: [Advisory]) -> [Advisory] {
        advisories.filter { advisory in
            guard let version = packages[advisory.package] else { return false }
            guard let has = numbers(version), let needs = numbers(advisory.fixed) else { return true }
            return has.lexicographicallyPrecedes(needs)
        }
    }

    @Test func `no pinned package is known to be vulnerable`() throws {
        let advisories = try Self.read("docs/advisories.json", as: [Advisory].self)
        let lock = try Self.read("Package.resolved", as: Lock.self)
        let packages = Dictionary(lock.pins.map { ($0.identity, $0.state.version ?? "none") }) { first, _ in first }
        #expect(Self.affecting(packages, advisories) == [])
        #expect(Set(advisories.map { "\($0.id) \($0.package)" }).count == advisories.count)
        for advisory in advisories {
            #expect(packages[advisory.package] != nil, "\(advisory.id) is about a package that isn't pinned")
            #expect(Self.numbers(advisory.fixed) != nil && !advisory.about.isEmpty, "\(advisory.id)")
            #expect(advisory.id.hasPrefix("CVE-") || advisory.id.hasPrefix("GHSA-"), "\(advisory.id)")
        }
    }

    @Test(arguments: [
        ("1.9.9", true), ("1.10.0", false), ("1.9.10", true), ("2.0.0", false), ("1.10.1", false), ("main", true),
        ("1.10", true),
    ])
    func `a package before the version that mends it is found`(version: String, isAffected: Bool) {
        let advisory = Advisory(id: "CVE-1", package: "parser", fixed: "1.10.0", about: "A fault.")
        #expect(Self.affecting(["parser": version], [advisory]) == (isAffected ? [advisory] : []))
        #expect(Self.affecting(["other": version], [advisory]) == [])
    }
}

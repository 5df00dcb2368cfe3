import Foundation
import Testing

/// Nothing that the project builds on is known to be vulnerable: `docs/advisories.json` has what is known.
@Suite struct AdvisoryTests {
    private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// Where a package comes from.
    enum Source: String, Decodable, CaseIterable {
        /// A Swift package, pinned in the lock file.
        case swift
        /// A source package of Debian, of which the program links a library.
        case debian
        /// A package of Python that tests use.
        case pypi
    }

    struct Advisory: Decodable, Equatable {
        let id: String
        /// Nil for Swift packages.
        let `in`: Source?
        let package: String
        /// The first version of the package's latest line, or of Debian 12, that hasn't the fault.
        let fixed: String
        let about: String

        var source: Source { `in` ?? .swift }
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

    private static func advisories(_ source: Source) throws -> [Advisory] {
        try read("docs/advisories.json", as: [Advisory].self).filter { $0.source == source }
    }

    // MARK: Versions

    /// The numbers of a version; nil for what isn't one.
    private static func numbers(_ version: String, count: ClosedRange<Int>) -> [Int]? {
        let numbers = version.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        return count.contains(numbers.count) && !numbers.contains(nil) ? numbers.compactMap { $0 } : nil
    }

    /// Whether a version is before the one that mends a fault; one that can't be read counts as such.
    static func isBefore(_ version: String, _ fixed: String, _ source: Source) -> Bool {
        if source == .debian { return DebianVersion(version) < DebianVersion(fixed) }
        let count = source == .swift ? 3...3 : 1...6
        guard let has = numbers(version, count: count), let needs = numbers(fixed, count: count) else { return true }
        return has.lexicographicallyPrecedes(needs)
    }

    /// The advisories that hold for the packages at their versions.
    static func affecting(_ packages: [String: Set<String>], _ advisories: [Advisory]) -> [Advisory] {
        advisories.filter { advisory in
            packages[advisory.package]?.contains { isBefore($0, advisory.fixed, advisory.source) } ?? false
        }
    }

    // MARK: Swift packages

    @Test func `no pinned package is known to be vulnerable`() throws {
        let advisories = try Self.advisories(.swift)
        let lock = try Self.read("Package.resolved", as: Lock.self)
        let pins = lock.pins.map { ($0.identity, Set([$0.state.version ?? "none"])) }
        let packages = Dictionary(pins) { first, _ in first }
        #expect(Self.affecting(packages, advisories) == [])
        for advisory in advisories {
            #expect(packages[advisory.package] != nil, "\(advisory.id) is about a package that isn't pinned")
            #expect(Self.numbers(advisory.fixed, count: 3...3) != nil, "\(advisory.id)")
        }
    }

    @Test func `advisories are told apart and say what they are about`() throws {
        let all = try Self.read("docs/advisories.json", as: [Advisory].self)
        #expect(Set(all.map { "\($0.id) \($0.package)" }).count == all.count)
        for advisory in all {
            #expect(advisory.id.hasPrefix("CVE-") || advisory.id.hasPrefix("GHSA-"), "\(advisory.id)")
            #expect(!advisory.about.isEmpty && !advisory.fixed.isEmpty, "\(advisory.id)")
        }
        #expect(Set(all.map(\.source)) == Set(Source.allCases))
    }

    // MARK: Libraries of the system

    /// The source packages that are installed, by what dpkg keeps, with the versions of theirs.
    static func installed(_ status: String) -> [String: Set<String>] {
        var packages: [String: Set<String>] = [:]
        for paragraph in status.split(separator: "\n\n") {
            var fields: [Substring: Substring] = [:]
            for line in paragraph.split(separator: "\n") where !line.hasPrefix(" ") {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2 { fields[parts[0]] = parts[1].drop { $0 == " " } }
            }
            guard fields["Status"]?.hasSuffix(" installed") ?? false, let name = fields["Package"] else { continue }
            // `Source: name (version)`, where they differ from the package's own.
            let source = (fields["Source"] ?? name).split(separator: " ")
            let own = source.count == 2 ? source[1].dropFirst().dropLast() : fields["Version"] ?? ""
            packages[String(source.first ?? name), default: []].insert(String(own))
        }
        return packages
    }

    private static let dpkg = "/var/lib/dpkg/status"

    /// The source packages of the libraries that the module maps link; further ones come with those.
    private static let linked = [
        "botan-2": "botan", "crack": "cracklib2", "curl": "curl", "hiredis": "hiredis", "pq": "postgresql-",
        "secp256k1": "libsecp256k1",
    ]

    @Test(.enabled(if: FileManager.default.fileExists(atPath: dpkg)))
    func `no library of the system that is linked is known to be vulnerable`() throws {
        let installed = Self.installed(try String(contentsOfFile: Self.dpkg, encoding: .utf8))
        #expect(Self.affecting(installed, try Self.advisories(.debian)) == [], "apt-get upgrade has newer ones")
        let folder = "\(Self.root)/Platform/CLibraries"
        for library in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            let map = try String(contentsOfFile: "\(folder)/\(library)/module.modulemap", encoding: .utf8)
            for match in Pattern(#"link "([^"]+)""#).matches(in: map) {
                let source = try #require(Self.linked[match.groups[0]], "\(library) links what nobody looks at")
                #expect(installed.keys.contains { $0.hasPrefix(source) }, "\(library): \(source) isn't installed")
            }
        }
    }

    @Test(arguments: [
        ("0.14.1-1", true), ("0.14.1-2", false), ("0.14.1-2~deb12u1", true), ("1:0.1", false), ("0.14.1-2+b1", false),
    ])
    func `a library before the version that mends it is found`(version: String, isAffected: Bool) {
        let advisory = Advisory(id: "CVE-1", in: .debian, package: "parser", fixed: "0.14.1-2", about: "A fault.")
        let status = """
            Package: libparser0
            Status: install ok installed
            Source: parser (\(version))
            Version: \(version)+b7
            Description: one
             Version: 99

            Package: libparser-dev
            Status: deinstall ok config-files
            Source: parser
            Version: 0.1
            """
        #expect(Self.installed(status) == ["parser": [version]])
        #expect(Self.affecting(Self.installed(status), [advisory]) == (isAffected ? [advisory] : []))
    }

    @Test(arguments: [
        ("1.0", "1.0", 0), ("1.0~rc1", "1.0", -1), ("1.0~~", "1.0~", -1), ("1.10", "1.9", 1), ("1:0.1", "9.9", 1),
        ("1.0-1", "1.0-2", -1), ("1.0-1+deb12u9", "1.0-1+deb12u10", -1), ("1.0a", "1.0+", -1), ("1.0", "1.0-1", -1),
        ("2.36-9+deb12u14", "2.36-9+deb12u4", 1), ("1.0.0", "1.0", 1), ("007", "7", 0),
    ])
    func `versions of Debian are in its order`(left: String, right: String, order: Int) {
        let (left, right) = (DebianVersion(left), DebianVersion(right))
        #expect((left < right) == (order < 0) && (left > right) == (order > 0) && (left == right) == (order == 0))
    }

    // MARK: Packages of Python

    private static func normal(_ name: some StringProtocol) -> String { name.lowercased().replacing("_", with: "-") }

    /// What tests ask for, and what was installed with that. Its installers come with the system's Python.
    private static func python() throws -> [String: Set<String>] {
        let requirements = try String(contentsOfFile: "\(root)/Tests/DevChains/requirements.txt", encoding: .utf8)
        let script = try String(contentsOfFile: "\(root)/test", encoding: .utf8)
        var packages: [String: Set<String>] = [:]
        for match in Pattern(#"([A-Za-z0-9_-]+)==([0-9A-Za-z.]+)"#).matches(in: requirements + "\n" + script) {
            packages[normal(match.groups[0]), default: []].insert(match.groups[1])
        }
        for home in ["python", "chains"] {
            let lib = "\(root)/.build/\(home)/lib"
            for version in (try? FileManager.default.contentsOfDirectory(atPath: lib)) ?? [] {
                let folder = "\(lib)/\(version)/site-packages"
                for entry in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                    guard entry.hasSuffix(".dist-info") else { continue }
                    let parts = entry.dropLast(".dist-info".count).split(separator: "-")
                    if parts.count == 2 { packages[normal(parts[0]), default: []].insert(String(parts[1])) }
                }
            }
        }
        return packages.filter { !["pip", "setuptools"].contains($0.key) }
    }

    @Test func `no package of Python that tests use is known to be vulnerable`() throws {
        let packages = try Self.python()
        #expect(packages["schemathesis"]?.isEmpty == false && packages["solders"]?.isEmpty == false)
        #expect(Self.affecting(packages, try Self.advisories(.pypi)) == [])
    }

    @Test(arguments: [
        (AdvisoryTests.Source.swift, "1.9.9", true), (.swift, "1.10.0", false), (.swift, "1.9.10", true),
        (.swift, "2.0.0", false), (.swift, "1.10.1", false), (.swift, "main", true), (.swift, "1.10", true),
        (.pypi, "1.9", true), (.pypi, "1.10.0", false), (.pypi, "2026.1", false), (.pypi, "1.10.0b1", true),
    ])
    func `a package before the version that mends it is found`(source: Source, version: String, isAffected: Bool) {
        let advisory = Advisory(id: "CVE-1", in: source, package: "parser", fixed: "1.10.0", about: "A fault.")
        #expect(Self.affecting(["parser": [version]], [advisory]) == (isAffected ? [advisory] : []))
        #expect(Self.affecting(["other": [version]], [advisory]) == [])
    }
}

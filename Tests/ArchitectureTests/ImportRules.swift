/// Who may import whom. A target is known by its folder.
extension Rule {
    static let importRules = [
        kernelStandsAlone, platformKnowsNoDomain, platformHasNoCycle, domainsAreApart, oneImporterPerCModule,
        noPointerInPublic, hummingbirdStaysInside, argumentParserStaysInside,
    ]

    private static let kernelStandsAlone = Rule(
        "Kernel imports nothing of ours",
        examples: [
            .breaks(
                ["Platform/Kernel/A.swift": "import Glibc\npublic import Ledger", "Platform/Ledger/B.swift": ""],
                at: "Platform/Kernel/A.swift:2"
            ),
            .keeps([
                "Platform/Kernel/A.swift": "import Foundation // import Ledger",
                "Platform/Ledger/B.swift": "import Kernel",
            ]),
        ]
    ) { tree in
        let ours = tree.platformTargets.union(tree.domains).union(tree.cModules)
        return tree.imports { file, module in file.isIn("Platform/Kernel") && ours.contains(module) }
    }

    private static let platformKnowsNoDomain = Rule(
        "Platform imports no domain",
        examples: [
            .breaks(
                ["Platform/Ledger/A.swift": "@testable import Banking", "Domains/Banking/B.swift": ""],
                at: "Platform/Ledger/A.swift:1"
            ),
            .breaks(
                ["Platform/Ledger/A.swift": "import MatchingEngine", "Domains/Investing/MatchingEngine/B.swift": ""],
                at: "Platform/Ledger/A.swift:1"
            ),
            .keeps(["Platform/Ledger/A.swift": "import Kernel", "Domains/Banking/B.swift": "import Ledger"]),
        ]
    ) { tree in
        tree.imports { file, module in file.isIn("Platform") && tree.domain(ofModule: module) != nil }
    }

    private static let platformHasNoCycle = Rule(
        "Platform targets import each other without a cycle",
        examples: [
            .breaks(
                [
                    "Platform/A/A.swift": "import B", "Platform/B/B.swift": "import C",
                    "Platform/C/C.swift": "\nimport A", "Platform/D/D.swift": "import A",
                ],
                at: "Platform/A/A.swift:1",
                "Platform/B/B.swift:1",
                "Platform/C/C.swift:2"
            ),
            .keeps(["Platform/A/A.swift": "import B", "Platform/B/B.swift": "import C", "Platform/C/C.swift": ""]),
        ]
    ) { tree in
        let targets = tree.platformTargets
        var edges: [String: Set<String>] = [:]
        for (file, match) in tree.allImports where file.isIn("Platform") && file.folders.count > 1 {
            let module = match.groups[0]
            if targets.contains(module) && module != file.folders[1] {
                edges[file.folders[1], default: []].insert(module)
            }
        }
        return tree.imports { file, module in
            file.isIn("Platform") && file.folders.count > 1 && module != file.folders[1]
                && reaches(file.folders[1], from: module, by: edges)
        }
    }

    private static func reaches(_ goal: String, from start: String, by edges: [String: Set<String>]) -> Bool {
        var (seen, open) = (Set([start]), [start])
        while let next = open.popLast() {
            if next == goal { return true }
            for target in edges[next] ?? [] where seen.insert(target).inserted { open.append(target) }
        }
        return false
    }

    private static let domainsAreApart = Rule(
        "a domain imports no other domain",
        examples: [
            .breaks(
                ["Domains/Banking/A.swift": "import Investing", "Domains/Investing/B.swift": ""],
                at: "Domains/Banking/A.swift:1"
            ),
            .breaks(
                ["Domains/Banking/A.swift": "import MatchingEngine", "Domains/Investing/MatchingEngine/B.swift": ""],
                at: "Domains/Banking/A.swift:1"
            ),
            .keeps(
                [
                    "Domains/Investing/A.swift": "import MatchingEngine\nimport DomainKit\nimport Fees",
                    "Domains/Investing/MatchingEngine/B.swift": "", "Domains/Banking/Fees/C.swift": "",
                    "Platform/Fees/D.swift": "",
                ]
            ),
        ]
    ) { tree in
        tree.imports { file, module in
            guard file.isIn("Domains"), let domain = tree.domain(ofModule: module) else { return false }
            return domain != file.folders[1]
        }
    }

    private static let oneImporterPerCModule = Rule(
        "a C module is imported by one target",
        examples: [
            .breaks(
                [
                    "Platform/CLibraries/CCurl/module.modulemap": "", "Platform/A/A.swift": "import CCurl",
                    "Platform/B/B.swift": "import CCurl",
                ],
                at: "Platform/A/A.swift:1",
                "Platform/B/B.swift:1"
            ),
            .keeps(
                [
                    "Platform/CLibraries/CCurl/module.modulemap": "", "Platform/A/A.swift": "import CCurl",
                    "Platform/A/B/B.swift": "import CCurl", "Tests/ATests/C.swift": "import CCurl",
                ]
            ),
        ]
    ) { tree in
        var importers: [String: Set<[String]>] = [:]
        for (file, match) in tree.allImports where !file.isIn("Tests") {
            importers[match.groups[0], default: []].insert(Array(file.folders.prefix(2)))
        }
        return tree.imports { file, module in
            !file.isIn("Tests") && tree.cModules.contains(module) && (importers[module]?.count ?? 0) > 1
        }
    }

    private static let noPointerInPublic = Rule(
        "no C pointer crosses a target boundary",
        examples: [
            .breaks(["Platform/A/A.swift": "\n    public let handle: OpaquePointer?"], at: "Platform/A/A.swift:2"),
            .breaks(
                ["Platform/A/A.swift": "public func f(_ p: UnsafeMutablePointer<CChar>) {}"],
                at: "Platform/A/A.swift:1"
            ),
            .keeps(["Platform/A/A.swift": "let handle: OpaquePointer\npublic func f() // UnsafePointer<Int>"]),
        ],
        eachSwiftFile: { file in
            file.violations(
                of: Pattern(#"^[ \t]*(?:@\w+ )*public [^\n{]*\b(?:OpaquePointer|Unsafe(?:Mutable)?(?:Raw)?Pointer)\b"#)
            )
        }
    )

    private static let hummingbirdStaysInside = Rule(
        "Hummingbird is imported by Platform/HTTP, Platform/DomainKit, *Domain, *Routes and *Stream files only",
        examples: [
            .breaks(["Domains/Banking/Deposits.swift": "import Hummingbird"], at: "Domains/Banking/Deposits.swift:1"),
            .breaks(["Apps/diboas/Serve.swift": "public import HummingbirdCore"], at: "Apps/diboas/Serve.swift:1"),
            .keeps(
                [
                    "Domains/Banking/DepositRoutes.swift": "import Hummingbird",
                    "Platform/HTTP/A.swift": "import Hummingbird",
                    "Tests/HTTPTests/B.swift": "import HummingbirdTesting",
                ]
            ),
        ]
    ) { tree in
        tree.imports { file, module in
            module.hasPrefix("Hummingbird") && !file.isIn("Platform/HTTP", "Platform/DomainKit", "Tests")
                && !["Domain.swift", "Routes.swift", "Stream.swift"].contains { file.path.hasSuffix($0) }
        }
    }

    private static let argumentParserStaysInside = Rule(
        "ArgumentParser is imported in Platform/DomainKit, *Domain.swift, *Command.swift and Apps only",
        examples: [
            .breaks(["Platform/Ledger/A.swift": "import ArgumentParser"], at: "Platform/Ledger/A.swift:1"),
            .keeps([
                "Platform/Ledger/VerifyCommand.swift": "import ArgumentParser",
                "Apps/diboas/A.swift": "import ArgumentParser",
            ]),
        ]
    ) { tree in
        tree.imports { file, module in
            module == "ArgumentParser" && !file.isIn("Platform/DomainKit", "Apps", "Tests", "Benchmarks")
                && !["Domain.swift", "Command.swift"].contains { file.path.hasSuffix($0) }
        }
    }
}

extension SourceTree {
    private static let importPattern = Pattern(
        #"^[ \t]*(?:@\w+(?:\([^)]*\))?[ \t]+)*(?:(?:public|package|internal|fileprivate|private)[ \t]+)?"#
            + #"import[ \t]+(?:(?:struct|class|enum|protocol|func|var|let|typealias|actor)[ \t]+)?(\w+)"#
    )

    /// All imports, the module's name as the first group.
    fileprivate var allImports: [(SourceFile, Pattern.Match)] {
        swift.flatMap { file in Self.importPattern.matches(in: file.code).map { (file, $0) } }
    }

    /// The imports that a predicate refuses.
    fileprivate func imports(where isRefused: (SourceFile, String) -> Bool) -> [Violation] {
        allImports.filter { isRefused($0, $1.groups[0]) }
            .map { Violation(path: $0.path, line: $1.line, what: $1.text) }
    }

    /// The domain that a module belongs to: the domain itself or a target in its folder.
    ///
    /// A name that Platform has is Platform's.
    fileprivate func domain(ofModule module: String) -> String? {
        if domains.contains(module) { return module }
        if platformTargets.contains(module) { return nil }
        return swift.first { $0.isIn("Domains") && $0.folders.dropFirst(2).first == module }?.folders[1]
    }
}

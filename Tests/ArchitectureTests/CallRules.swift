/// What code may not call.
extension Rule {
    static let callRules = [
        banned("try!", #"\btry!"#, faulty: "let a = try! f()", sound: "let a = try f() // try!"),
        banned(
            "fatalError",
            #"\bfatalError\("#,
            faulty: "fatalError(\"a\")",
            sound: "preconditionFailure(\"fatalError(\")"
        ),
        banned(
            "print outside commands",
            #"(?<![.\w])(?:debugPrint|print)\("#,
            faulty: "  print(1)",
            sound: "printer.print(1); f(print: 1); func fingerprint() {}",
            unless: { $0.isIn("Apps", "Tests", "Benchmarks") || $0.path.hasSuffix("Command.swift") }
        ),
        banned(
            "a task without a parent",
            #"(?<![.\w])Task(?:<[^>]*>)?(?:\.(?:detached|immediate))?[ \t]*(?:\([^)\n]*\))?[ \t]*\{"#,
            faulty: "let a = Task(priority: .high) { }",
            sound: "Task.sleep(for: a); if Task.isCancelled { }; enum SubTask { }; group.addTask { }",
            unless: { taskAllowed[$0.path] != nil }
        ),
        banned(
            "sleeping on a thread",
            #"\bThread\.sleep|(?<![.\w])(?:sleep|usleep|nanosleep)\("#,
            faulty: "usleep(10)",
            sound: "try await Task.sleep(for: .seconds(1))",
            unless: { sleepAllowed[$0.path] != nil }
        ),
        banned(
            "the machine's time or random ids outside Kernel",
            #"(?<![.\w])(?:Date|UUID)(?:\.init)?\(\)|\bDate\.now\b"#,
            faulty: "let a = UUID()",
            sound: "let a = Date(timeIntervalSince1970: 1); clock.now()",
            unless: { $0.isIn("Platform/Kernel", "Tests", "Benchmarks") }
        ),
        noFloatingMoney, uncheckedHasReason,
    ]

    /// Files that may sleep on a thread, each with its reason.
    private static let sleepAllowed: [String: String] = [
        "Benchmarks/Sources/chain-bench/SyntheticChain.swift": "a node that answers as late as over a network",
        "Benchmarks/Sources/http-bench/DepthMeasurement.swift": "probes that a thread of their own sends in a measure",
        "Benchmarks/Sources/http-bench/LoadGenerator.swift": "a load generator that paces itself on its own thread",
        "Tests/EndToEndTests/Support/SharedServer.swift": "the process ends: nothing asynchronous runs any more",
    ]

    /// Files that may start a task without a parent, each with its reason.
    private static let taskAllowed: [String: String] = [
        "Tests/FeesTests/FeeDatabase.swift": "a server that all tests of the process share has no parent task"
    ]

    private static func banned(
        _ name: String,
        _ pattern: String,
        faulty: String,
        sound: String,
        unless isExempt: @escaping @Sendable (SourceFile) -> Bool = { _ in false }
    ) -> Rule {
        let pattern = Pattern(pattern)
        return Rule(
            "no \(name)",
            examples: [
                .breaks(["Platform/A/A.swift": "\n" + faulty], at: "Platform/A/A.swift:2"),
                .keeps(["Platform/A/A.swift": sound]),
            ],
            eachSwiftFile: { isExempt($0) ? [] : $0.violations(of: pattern) }
        )
    }

    private static let moneyFiles = ["Asset", "Money", "Rate", "Rounding", "DecimalText"].map {
        "Platform/Kernel/\($0).swift"
    }

    private static let noFloatingMoney = Rule(
        "no floating point and no Decimal where money is counted",
        examples: [
            .breaks(
                ["Platform/Ledger/A.swift": "let a: Double = 1", "Platform/Fees/B/B.swift": "\nfunc f(_ a: Decimal)"],
                at: "Platform/Ledger/A.swift:1",
                "Platform/Fees/B/B.swift:2"
            ),
            .breaks(["Platform/Kernel/Money.swift": "let a = Float80(1)"], at: "Platform/Kernel/Money.swift:1"),
            .keeps([
                "Platform/Ledger/A.swift": "let a: DecimalText // Double", "Platform/Redis/A.swift": "let a: Double",
            ]),
        ],
        eachSwiftFile: { file in
            guard file.isIn("Platform/Ledger", "Platform/Fees") || moneyFiles.contains(file.path) else { return [] }
            return file.violations(
                of: Pattern(#"\b(?:Double|Float|Float16|Float32|Float64|Float80|CGFloat|Decimal)\b"#)
            )
        }
    )

    private static let uncheckedHasReason = Rule(
        "@unchecked Sendable has its reason above it",
        examples: [
            .breaks(["A.swift": "import B\nfinal class A: @unchecked Sendable {}"], at: "A.swift:2"),
            .keeps(["A.swift": "// The lock guards it.\n@frozen\nfinal class A: @unchecked Sendable {}"]),
        ],
        eachSwiftFile: { file in
            let lines = file.lines.map { $0.drop { $0 == " " } }
            return file.violations(of: Pattern(#"@unchecked\s+Sendable"#)).filter { violation in
                let above = lines[..<(violation.line - 1)].last { !$0.hasPrefix("@") }
                return above?.hasPrefix("//") != true
            }
        }
    )
}

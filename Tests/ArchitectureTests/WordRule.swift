/// The project speaks of itself: not of who wrote it, where, or on whose behalf.
extension Rule {
    private static let foreign = Pattern(
        [
            #"\bas (?:you |was )?(?:requested|asked for)\b"#, #"\b(?:issue|ticket|task) ?#?\d+\b"#,
            #"\b(?:the|this|your) (?:brief|prompt|user's request)\b"#, #"\bthis (?:working )?session\b"#,
            #"(?:\.\./)+shared\b"#, #"/work/(?:main|shared)\b"#, #"/tmp/h-"#,
            #"\b(?:claude|anthropic|chatgpt|openai|copilot|language model|ai assistant|coding agent)\b"#,
            #"\b(?:todo|fixme|hack)\b:?"#,
        ]
        .joined(separator: "|"),
        ignoringCase: true
    )

    static let wordRule = Rule(
        "the project speaks of itself alone",
        examples: [
            .breaks(
                ["docs/A.md": "Fees.\nAdded as requested in issue #2.", "Platform/A/A.swift": "// TODO: later"],
                at: "docs/A.md:2",
                "docs/A.md:2",
                "Platform/A/A.swift:1"
            ),
            .breaks(["run": "cd /work/main"], at: "run:1"),
            .keeps(["docs/A.md": "A session ends after an hour. Issues of the asset. The network /workers."]),
        ]
    ) { tree in
        // This file has to name the words.
        tree.files.filter { $0.path != "Tests/ArchitectureTests/WordRule.swift" }
            .flatMap { $0.violations(of: foreign, in: $0.text) }
    }
}

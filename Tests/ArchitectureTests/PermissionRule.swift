/// What routes ask of their callers.
extension Rule {
    // In the whole text, since the name stands in a string and the call around it doesn't.
    private static let asked = Pattern(#"\.permission\("([a-z:_]+)"[,)]"#)

    /// A permission that no migration declares is one that nobody has: the route would refuse everybody.
    static let permissionsExist = Rule(
        "a permission that a route asks for is declared by a migration",
        examples: [
            .breaks(
                [
                    "Domains/Banking/ARoutes.swift": "let a = 1\nlet b = Access.permission(\"banking:fly\")",
                    "migrations/platform/0001_a.sql": "insert into p values ('banking:read', 'Sees.');",
                ],
                at: "Domains/Banking/ARoutes.swift:2"
            ),
            .keeps(
                [
                    "Domains/Banking/ARoutes.swift": "let a = Access.permission(\"banking:read\")",
                    "Tests/HTTPTests/A.swift": "let a = Access.permission(\"tests:only\")",
                    "migrations/platform/0001_a.sql": "insert into p values ('banking:read', 'Sees.');",
                ]
            ),
        ]
    ) { tree in
        let declared = tree.files.filter { $0.isIn("migrations") }.map(\.text).joined()
        return tree.swift.filter { $0.isIn("Domains", "Platform", "Apps") }.flatMap { file in
            asked.matches(in: file.text).filter { !declared.contains("('\($0.groups[0])'") }
                .map { Violation(path: file.path, line: $0.line, what: $0.text) }
        }
    }
}

/// What SQL may name, in Swift's strings and in migrations.
extension Rule {
    static let sqlRules = [ownSchemaOnly, appendOnlyTables]

    private static let schemas = ["platform", "banking", "investing", "defi"]

    /// A schema-qualified name where SQL expects a relation or a function.
    ///
    /// Event types (`banking.deposit.completed`) aren't meant.
    private static let qualified = Pattern(
        #"\b(?:from|join|into|update|table|references|only|call|copy|function|procedure|view|on|truncate|exists|"#
            + #"using|execute)\s+(\#(schemas.joined(separator: "|")))\.(?=\w|\s)"#,
        ignoringCase: true
    )

    private static let ownSchemaOnly = Rule(
        "SQL names the schema of its own domain only",
        examples: [
            .breaks(
                ["Domains/Banking/A.swift": "let a: SQL = \"\"\"\n  select id from investing.orders\n  \"\"\""],
                at: "Domains/Banking/A.swift:2"
            ),
            .breaks(
                ["migrations/defi/0001_a.up.sql": "create table defi.a (\n b uuid references platform.users (id));"],
                at: "migrations/defi/0001_a.up.sql:2"
            ),
            .breaks(
                ["Platform/Ledger/A.swift": "f(\"update banking.accounts set a = 1\")"],
                at: "Platform/Ledger/A.swift:1"
            ),
            .keeps(
                [
                    "Domains/Banking/A.swift": "f(\"select 1 from banking.accounts\") // from investing.orders",
                    "Domains/Banking/B.swift": "subscribe(to: \"investing.transfer.requested\")",
                    "migrations/banking/0001_a.up.sql": "select 1 from banking.a -- from defi.a",
                    "Platform/Identity/A.swift": "f(\"select 1 from platform.users\")",
                ]
            ),
        ]
    ) { tree in
        tree.files.filter { $0.isIn("Domains", "Platform", "migrations") && $0.folders.count > 1 }.flatMap { file in
            let own = file.isIn("Platform") ? "platform" : file.folders[1].lowercased()
            return qualified.matches(in: file.strings).filter { $0.groups[0].lowercased() != own }
                .map { Violation(path: file.path, line: $0.line, what: $0.text) }
        }
    }

    /// What is written there is history: it is corrected by more of it.
    private static let appendOnly = [
        "ledger_transfers", "ledger_reversals", "reversals", "status_history", "audit_log", "provider_updates",
        "transaction_fees",
    ]

    private static let changing = Pattern(
        #"\b(?:update|delete\s+from|truncate(?:\s+table)?|merge\s+into)\s+(?:only\s+)?(?:\w*\s*\.\s*)?"#
            + #"(?:\#(appendOnly.joined(separator: "|")))\b"#,
        ignoringCase: true
    )

    private static let appendOnlyTables = Rule(
        "append-only tables are not updated, deleted from or truncated",
        examples: [
            .breaks(
                ["Platform/Ledger/A.swift": #"f("delete from \(schema).ledger_transfers where id = 1")"#],
                at: "Platform/Ledger/A.swift:1"
            ),
            .breaks(
                ["migrations/blocks/0001_a.up.sql": "\nUPDATE audit_log set a = 1;"],
                at: "migrations/blocks/0001_a.up.sql:2"
            ),
            .keeps(
                [
                    "Platform/Ledger/A.swift":
                        #"f("insert into \(schema).ledger_transfers values (1) on conflict do nothing")"#,
                    "Platform/Audit/A.swift": "f(\"update platform.audit_log_heads set hash = 1\")",
                    "Tests/LedgerTests/A.swift": "f(\"delete from banking.ledger_transfers\")",
                ]
            ),
        ]
    ) { tree in
        tree.files.filter { !$0.isIn("Tests", "Benchmarks") }.flatMap { $0.violations(of: changing, in: $0.strings) }
    }
}

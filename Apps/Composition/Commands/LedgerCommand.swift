import ArgumentParser
import DomainKit
import Kernel
import Ledger
import PostgreSQL

/// `diboas ledger`: proves the ledgers, and answers what stands on them.
struct LedgerTools: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Check the ledgers and read them.",
        subcommands: [Verify.self, TrialBalances.self, BalanceCommand.self, Entries.self]
    )

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Derive every balance and reservation anew from the journal and compare.",
            discussion: "Exits with 1 when something doesn't add up. The ledger goes on working meanwhile."
        )
        @Option(help: "Only of this domain.") var domain: String?
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let program = try await Console.program()
            var findings: [(domain: String, finding: LedgerFinding)] = []
            for runtime in try program.runtimes(named: domain) {
                let verifier = LedgerVerifier(schema: runtime.schema, pool: runtime.pool)
                findings += try await verifier.verify().map { (runtime.schema.name, $0) }
            }
            for (domain, finding) in findings {
                if json {
                    Console.print([
                        "domain": .string(domain), "rule": .string(finding.rule), "subject": .string(finding.subject),
                        "detail": .string(finding.detail),
                    ])
                } else {
                    print("\(domain) \(finding.rule): \(finding.subject) \(finding.detail)")
                }
            }
            guard findings.isEmpty else { throw ExitCode(1) }
            if json {
                Console.print(["findings": .integer(0)])
            } else {
                print("Every balance follows from the journal.")
            }
        }
    }

    struct TrialBalances: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "trial-balance",
            abstract: "Show the sums per asset; each adds up to zero."
        )
        @Option(help: "Only of this domain.") var domain: String?

        func run() async throws {
            let program = try await Console.program()
            var rows: [[String]] = []
            for runtime in try program.runtimes(named: domain) {
                for line in try await runtime.history.trialBalance() {
                    guard let asset = Asset(code: line.asset) else { continue }
                    let cells = [line.credit, line.debit, line.sum, line.reserved].map {
                        Money(minorUnits: $0, asset).wire
                    }
                    rows.append([runtime.schema.name, line.asset] + cells)
                }
            }
            Console.table(["DOMAIN", "ASSET", "CREDIT", "DEBIT", "SUM", "RESERVED"], rows)
        }
    }

    struct BalanceCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "balance",
            abstract: "Show a user's balances, or an account's balance at a past instant."
        )
        @Argument(help: "A user's id, usr_…, or with --as-of an account's, acct_…") var id: String
        @Option(help: "An instant, 2026-11-20T12:00:00Z.") var asOf: String?
        @Option(help: "The domain.") var domain = "banking"

        func run() async throws {
            let program = try await Console.program()
            for runtime in try program.runtimes(named: domain) {
                if let asOf {
                    guard let instant = Timestamp(asOf) else { throw ValidationError("\(asOf) is no instant in UTC.") }
                    guard let account = ID<LedgerAccount>(wire: id) else {
                        throw ValidationError("\(id) is no account's id.")
                    }
                    let minorUnits = try await runtime.history.posted(on: account, asOf: instant)
                    print("\(minorUnits) minor units")
                } else {
                    guard let user = ID<User>(wire: id) else { throw ValidationError("\(id) is no user's id.") }
                    Console.table(
                        ["ACCOUNT", "KIND", "ASSET", "AVAILABLE", "RESERVED", "TOTAL"],
                        try await runtime.accounts.balances(of: user.value).map {
                            [
                                $0.account.wire, $0.kind, $0.total.asset.code, $0.available.wire, $0.reserved.wire,
                                $0.total.wire,
                            ]
                        }
                    )
                }
            }
        }
    }

    struct Entries: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show an account's newest entries.")
        @Argument(help: "The account's id, acct_…") var account: String
        @Option(help: "The domain.") var domain = "banking"
        @Option(help: "How many at most.") var limit = 20

        func run() async throws {
            let program = try await Console.program()
            guard let id = ID<LedgerAccount>(wire: account) else {
                throw ValidationError("\(account) is no account's id.")
            }
            for runtime in try program.runtimes(named: domain) {
                Console.table(
                    ["AT", "VERSION", "CODE", "BEFORE", "AMOUNT", "AFTER"],
                    try await runtime.history.entries(of: id, limit: limit).map {
                        [
                            $0.recordedAt.description, String($0.version), $0.code, String($0.balanceBefore),
                            String($0.amount), String($0.balanceAfter),
                        ]
                    }
                )
            }
        }
    }
}

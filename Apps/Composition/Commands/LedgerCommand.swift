import ArgumentParser
import DomainKit
import Kernel
import Ledger
import PostgreSQL

/// `diboas ledger`: proves the ledgers, and answers what stands on them.
struct LedgerTools: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Check the ledgers and read them, and propose postings by hand.",
        subcommands: [
            Verify.self, TrialBalances.self, Accounts.self, BalanceCommand.self, Statement.self, TransferCommand.self,
            Post.self,
        ]
    )

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Derive every balance and reservation anew from the journal and compare.",
            discussion: """
                Exits with 1 when something doesn't add up. The ledger goes on working meanwhile; a rule may read for \
                hours.
                """
        )
        @Option(help: "Only of this domain.") var domain: String?
        @Flag(help: "Print JSON.") var json = false

        /// How long one rule may read.
        private static let ruleSecondsMax = 6 * 3_600

        func run() async throws {
            let program = try await Console.program()
            var findings: [(domain: String, finding: LedgerFinding)] = []
            for runtime in try program.runtimes(named: domain) {
                // A connection of its own: the settings' timeouts are those of requests.
                var options = program.databases.options(of: runtime.schema)
                options.statementTimeoutSeconds = Verify.ruleSecondsMax
                let pool = Pool(options, size: 1, waitSeconds: 60)
                defer { pool.close() }
                let verifier = LedgerVerifier(schema: runtime.schema, pool: pool)
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
}

import ArgumentParser
import Audit
import Cryptography
import DomainKit
import Kernel
import PostgreSQL
import Settings

/// `diboas audit`: proves the audit logs, and signs how far they are.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Check the audit logs, and sign their heads.",
        subcommands: [Verify.self, Head.self, Key.self]
    )

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Follow each schema's hash chain from its first row, archived partitions included.",
            discussion: """
                Exits with 1 when a row was changed, removed or moved. A chain that was cut at its end together with \
                its head is found by signed heads that were kept elsewhere: `diboas audit head`.
                """
        )
        @Option(help: "A file of signed heads that the chains must contain.") var heads: String?
        @Option(help: "A public key that counts, 64 hexadecimal digits; the keys of this machine unless given.")
        var publicKey: [String] = []
        @Flag(help: "Print JSON, a line for each schema.") var json = false

        func run() async throws {
            let program = try await Console.program()
            let heads = try heads.map { try AuditHeadsFile(path: $0).read() } ?? []
            let known = heads.isEmpty ? [] : try publicKeys(program)
            var isIntact = true
            for runtime in program.everyRuntime {
                let report = try await AuditVerifier(pool: runtime.pool, schema: runtime.schema)
                    .verify(heads: heads.filter { $0.schema == runtime.schema.name }, publicKeys: known)
                show(report, runtime.schema.name)
                isIntact = isIntact && report.isIntact
            }
            let schemas = Set(program.everyRuntime.map(\.schema.name))
            let strangers = Set(heads.map(\.schema)).subtracting(schemas).sorted()
            for schema in strangers { print("\(schema): there is no such schema, but a head of its chain") }
            if !isIntact || !strangers.isEmpty { throw ExitCode(1) }
        }

        private func show(_ report: AuditReport, _ schema: String) {
            guard !json else {
                return Console.print([
                    "schema": .string(schema), "rows": .integer(report.rows), "batches": .integer(report.batches),
                    "expired_batches": .integer(report.expiredBatches),
                    "faults": .array(report.faults.map { .string("\($0)") }),
                ])
            }
            print("\(schema): \(report.rows) entries, \(report.faults.count) faults")
            for fault in report.faults { print("  \(fault)") }
        }

        private func publicKeys(_ program: Program) throws -> [[UInt8]] {
            guard publicKey.isEmpty else {
                return try publicKey.map { text in
                    guard let key = Hex.decode(text), key.count == 32 else {
                        throw ValidationError("\(text) is no public key.")
                    }
                    return key
                }
            }
            return try KeyPlaces(settings: program.settings).auditSigners().map(\.publicKey)
        }
    }

    struct Head: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign how far each schema's chain is, a line of JSON each, to be kept elsewhere."
        )
        @Option(help: "Append the lines to this file, too.") var append: String?

        func run() async throws {
            let heads = try await Console.program().signedHeads()
            for head in heads { Console.print(head.json) }
            if let append { try AuditHeadsFile(path: append).append(heads) }
        }
    }

    struct Key: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the public keys by which signed heads are checked; the last one signs."
        )

        func run() async throws {
            let settings = try Console.settings(for: .command)
            for signer in try KeyPlaces(settings: settings).auditSigners() { print(Hex.encode(signer.publicKey)) }
        }
    }
}

import Approvals
import ArgumentParser
import DomainKit
import Foundation
import Identity
import Kernel

extension LedgerTools {
    struct Post: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Propose a posting by hand from a JSON file; another person approves it over the API.",
            discussion: """
                {"domain": "banking", "asset": "USD", "debit": [{"account": "suspense:stripe", "amount": "5.00"}], \
                "credit": [{"account": "checking", "owner": "usr_…", "amount": "5.00"}], "case": "cmp_…"}

                Both sides come to the same. A customer's account takes the customer's open compliance case. Exits \
                with 1 when it is refused; nothing was stored then.
                """
        )
        @Argument(help: "The file, or - for standard input.") var file: String
        @Option(help: "Why; kept in the audit log.") var reason: String
        @Option(name: .customLong("operator"), help: "Your username as a member of staff, who proposes it.")
        var proposer: String

        /// The largest file, in bytes.
        private static let bytesMax = 1 << 16

        func run() async throws {
            let handle = file == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: file)
            guard let data = try handle?.read(upToCount: Post.bytesMax + 1), data.count <= Post.bytesMax else {
                throw ValidationError("\(file) can't be read, or is larger than a posting.")
            }
            let payload: JSON
            do throws(JSONError) { payload = try JSON.parse(Array(data)) } catch {
                throw ValidationError("\(file) isn't JSON: \(error).")
            }
            let program = try await Console.program()
            try await Console.propose("ledger.post", payload, "The posting", because: reason, by: proposer, program)
        }
    }
}

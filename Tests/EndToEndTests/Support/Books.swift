import Testing

/// The operators' proofs.
enum Books {
    /// The ledgers follow from their journals, the audit logs are whole, and each asset adds up to zero.
    static func verify(_ server: RunningServer, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for arguments in [["ledger", "verify"], ["audit", "verify"]] {
            let proof = try await Program.run(arguments, environment: server.environment)
            #expect(proof.status == 0, "\(proof.output) \(proof.errors)", sourceLocation: sourceLocation)
        }
        let trial = try await server.command("ledger", "trial-balance")
        #expect(trial.status == 0, "\(trial.errors)", sourceLocation: sourceLocation)
        let rows = trial.output.split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
        #expect(rows.count >= 3, "\(trial.output)", sourceLocation: sourceLocation)
        for row in rows { #expect(row.count == 6 && row[4] == "0.00", "\(row)", sourceLocation: sourceLocation) }
    }
}

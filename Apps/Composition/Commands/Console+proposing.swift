import Approvals
import ArgumentParser
import Identity
import Kernel

extension Console {
    /// Proposes something in the name of a member of staff, and says what another person does about it.
    ///
    /// The member of staff hasn't signed in here, so the audit log has who is logged in on the machine, as
    /// `break_glass`.
    /// - Throws: 404 for who is no member of staff, and what `Approvals.propose` throws.
    static func propose(
        _ kind: String,
        _ payload: JSON,
        _ what: String,
        because reason: String,
        by proposer: String?,
        _ program: Program
    ) async throws {
        guard let proposer else { throw ValidationError("--operator must name who proposes it.") }
        let made = try await program.approvals.propose(
            kind,
            payload,
            because: reason,
            by: try await program.identity.staff(named: proposer),
            Trail(console: OperatorOptions.systemUser)
        )
        Swift.print("\(what) is proposed as \(made.id.wire). Another person approves it by")
        Swift.print("POST /v1/operator/approvals/\(made.id.wire)/approve.")
    }
}

import Compliance
import Synchronization

/// Compliance as a test wants it; approves what it wasn't told of.
final class StubScreening: AddressScreening {
    private let outcomes = Mutex<[String: ComplianceAnswer.Outcome]>([:])

    func say(_ outcome: ComplianceAnswer.Outcome, of account: String) { outcomes.withLock { $0[account] = outcome } }

    func screen(_ address: ScreenedAddress) async throws -> ComplianceAnswer {
        let outcome = outcomes.withLock { $0[address.account] } ?? .approve
        return ComplianceAnswer(checks: [
            ComplianceAnswer.Check(kind: .sanctions, outcome: outcome, score: 0, flags: ["listed"], rule: "test.v1")
        ])
    }
}

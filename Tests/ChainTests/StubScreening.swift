import Compliance
import Synchronization

/// Compliance as a test wants it; approves what it wasn't told of.
final class StubScreening: AddressScreening {
    private let outcomes = Mutex<[String: ComplianceAnswer.Outcome]>([:])

    private let payouts = Mutex<ComplianceAnswer.Outcome?>(nil)

    func say(_ outcome: ComplianceAnswer.Outcome, of account: String) { outcomes.withLock { $0[account] = outcome } }

    /// What is said to every payout from now on, whatever is said of its address.
    func say(ofPayouts outcome: ComplianceAnswer.Outcome) { payouts.withLock { $0 = outcome } }

    /// A payout as its destination's address.
    func screen(_ payout: Payout) async throws -> ComplianceAnswer {
        let account = payout.destination.account
        if let outcome = payouts.withLock(\.self) { return Self.answer(outcome) }
        return try await screen(
            ScreenedAddress(subject: payout.subject, user: payout.user, account: account, use: .payout)
        )
    }

    func screen(_ address: ScreenedAddress) async throws -> ComplianceAnswer {
        let outcome = outcomes.withLock { $0[address.account] } ?? .approve
        return Self.answer(outcome)
    }

    private static func answer(_ outcome: ComplianceAnswer.Outcome) -> ComplianceAnswer {
        ComplianceAnswer(checks: [
            ComplianceAnswer.Check(kind: .sanctions, outcome: outcome, score: 0, flags: ["listed"], rule: "test.v1")
        ])
    }
}

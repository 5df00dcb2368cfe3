import Kernel

/// The checks that need no history: pure, the same answer for the same movement.
public struct ComplianceRules: Sendable {
    private let parameters: PolicyParameters

    /// Rules with parameters.
    public init(_ parameters: PolicyParameters = PolicyParameters()) { self.parameters = parameters }

    /// What the rules say to a movement.
    public func check(_ movement: MoneyMovement) -> ComplianceAnswer {
        ComplianceAnswer(checks: [identification(movement), amount(movement)])
    }

    private func identification(_ movement: MoneyMovement) -> ComplianceAnswer.Check {
        let (outcome, score, flags): (ComplianceAnswer.Outcome, Int, [String]) =
            switch movement.identification {
            case .approved: (.approve, 0, [])
            case .rejected where movement.kind.isOutgoing: (.block, 100, ["identification_rejected"])
            case .none where movement.kind.isLeaving: (.block, 60, ["identification_required"])
            case .none where exceeds(movement.amount, parameters.unidentifiedUnits):
                (.block, 60, ["identification_required"])
            case .none, .rejected: (.approve, 30, ["not_identified"])
            }
        return ComplianceAnswer.Check(kind: .kyc, outcome: outcome, score: score, flags: flags, rule: "kyc_level.v1")
    }

    private func amount(_ movement: MoneyMovement) -> ComplianceAnswer.Check {
        let isBlocked = exceeds(movement.amount, parameters.blockUnits)
        let isFlagged = exceeds(movement.amount, parameters.flagUnits)
        return ComplianceAnswer.Check(
            kind: .aml,
            outcome: isBlocked ? .block : .approve,
            score: isBlocked ? 90 : isFlagged ? 40 : 0,
            flags: isBlocked ? ["amount_blocked"] : isFlagged ? ["large_amount"] : [],
            rule: "aml_threshold.v1"
        )
    }

    private func exceeds(_ amount: Money, _ units: Int) -> Bool { parameters.worth.exceeds(amount, units) }
}

import Kernel

/// The checks by rule: pure, the same answer for the same movement.
public struct ComplianceRules: Sendable {
    /// Units of an asset; scaled to its minor units where it is compared.
    public struct Thresholds: Sendable {
        /// From here on an amount is flagged.
        public var flagUnits: Int128 = 10_000
        /// From here on an amount is blocked.
        public var blockUnits: Int128 = 1_000_000
        /// What somebody who isn't identified may move at once.
        public var unidentifiedUnits: Int128 = 1_000

        /// The usual thresholds.
        public init() {}
    }

    private let thresholds: Thresholds

    /// Rules with thresholds.
    public init(_ thresholds: Thresholds = Thresholds()) { self.thresholds = thresholds }

    /// What the rules say to a movement.
    public func check(_ movement: MoneyMovement) -> ComplianceAnswer {
        ComplianceAnswer(checks: [identification(movement), amount(movement)])
    }

    private func identification(_ movement: MoneyMovement) -> ComplianceAnswer.Check {
        let (outcome, score, flags): (ComplianceAnswer.Outcome, Int, [String]) =
            switch movement.identification {
            case .approved: (.approve, 0, [])
            case .rejected where movement.kind.isOutgoing: (.block, 100, ["identification_rejected"])
            case .none where movement.kind == .withdrawal: (.block, 60, ["identification_required"])
            case .none where exceeds(movement.amount, thresholds.unidentifiedUnits):
                (.block, 60, ["identification_required"])
            case .none, .rejected: (.approve, 30, ["not_identified"])
            }
        return ComplianceAnswer.Check(kind: .kyc, outcome: outcome, score: score, flags: flags, rule: "kyc_level.v1")
    }

    private func amount(_ movement: MoneyMovement) -> ComplianceAnswer.Check {
        let isBlocked = exceeds(movement.amount, thresholds.blockUnits)
        let isFlagged = exceeds(movement.amount, thresholds.flagUnits)
        return ComplianceAnswer.Check(
            kind: .aml,
            outcome: isBlocked ? .block : .approve,
            score: isBlocked ? 90 : isFlagged ? 40 : 0,
            flags: isBlocked ? ["amount_blocked"] : isFlagged ? ["large_amount"] : [],
            rule: "aml_threshold.v1"
        )
    }

    private func exceeds(_ amount: Money, _ units: Int128) -> Bool {
        let scale = (0..<amount.asset.scale).reduce(Int128(1)) { power, _ in power * 10 }
        return amount.minorUnits >= units * scale
    }
}

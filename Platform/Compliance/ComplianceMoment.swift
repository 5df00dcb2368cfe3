/// When compliance is asked, and what is answered where it can't be: where nothing of what it decides by can be read.
public enum ComplianceMoment: String, Sendable, CaseIterable {
    /// Somebody becomes a customer, or changes name, birth or nationality.
    case registration
    /// Money comes in from a provider.
    case deposit
    /// Money goes to another customer.
    case payment
    /// Money goes out through a provider.
    case withdrawal
    /// Money goes to another domain of the same customer.
    case transfer
    /// A customer says that a wallet is theirs.
    case walletLink = "wallet_link"
    /// Money goes to an address on a chain.
    case payout

    /// Money that leaves is blocked; everything else waits for a person.
    public var outcomeUnread: ComplianceAnswer.Outcome {
        switch self {
        case .payment, .withdrawal, .transfer, .payout: .block
        case .registration, .deposit, .walletLink: .review
        }
    }

    static let unreadRule = "fail_closed.v1"

    /// What is answered where nothing can be read.
    func unread(_ kind: ComplianceAnswer.Kind) -> ComplianceAnswer {
        ComplianceAnswer(checks: [
            ComplianceAnswer.Check(
                kind: kind,
                outcome: outcomeUnread,
                score: 100,
                flags: ["compliance_unavailable"],
                rule: ComplianceMoment.unreadRule
            )
        ])
    }
}

extension MoneyMovement.Kind {
    /// The moment that it is.
    public var moment: ComplianceMoment {
        switch self {
        case .deposit: .deposit
        case .withdrawal: .withdrawal
        case .payment: .payment
        case .transfer: .transfer
        case .payout: .payout
        }
    }
}

extension ScreenedAddress.Use {
    /// The moment that it is.
    public var moment: ComplianceMoment {
        switch self {
        case .wallet: .walletLink
        case .payout: .payout
        case .deposit: .deposit
        }
    }
}

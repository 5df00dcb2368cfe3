import Compliance
import Fees
import Identity
import Kernel
import WalletCrypto

/// What is looked at before crypto is paid out or credited.
struct CustodyChecks: Sendable {
    /// What fees are charged for.
    static let feeOperation = "defi.withdrawal"

    let users: UserDirectory
    let compliance: ComplianceGate
    let fees: FeeCatalogCache
    let screening: any AddressScreening
    let ids: IDGenerator
    let clock: any WallClock

    /// What a withdrawal is promised to cost, once nobody holds anything against it.
    ///
    /// - Throws: 403 `user_not_active`; 422 for fees and compliance.
    func quote(_ amount: Money, by user: ID<User>, for id: ID<CustodyWithdrawal>) async throws -> FeeQuote {
        guard let profile = try await users.profile(user), profile.isActive else {
            throw Problem(403, "user_not_active", "This user may not move money. Contact support.")
        }
        let context = FeeContext(amount: amount, tier: FeeTier(rawValue: profile.feeTier) ?? .tier1)
        let quote = try await fees.current().quote(Self.feeOperation, context, id: ids.next(), at: clock.now())
        let answer = try await compliance.check(
            MoneyMovement(
                subject: id.value,
                user: user,
                kind: .withdrawal,
                amount: amount,
                identification: profile.identification
            )
        )
        guard answer.outcome == .approve else {
            let why = answer.reasons.joined(separator: ", ")
            throw Problem(422, "compliance_\(answer.outcome.rawValue)", "This can't be done: \(why). Contact support.")
        }
        return quote
    }

    /// Why a deposit isn't credited to its owner; nil when it is.
    func hold(_ deposit: CustodyDeposit, owner: ID<User>) async throws -> CustodyDeposit.Hold? {
        let sender = ScreenedAddress(
            subject: deposit.id.value,
            user: owner,
            account: "\(deposit.chain):\(deposit.sender)",
            use: .deposit
        )
        switch try await screening.screen(sender).outcome {
        case .block: return .addressBlocked
        case .review: return .inReview
        case .approve: break
        }
        guard let profile = try await users.profile(owner) else { return .inReview }
        let answer = try await compliance.check(
            MoneyMovement(
                subject: deposit.id.value,
                user: owner,
                kind: .deposit,
                amount: deposit.amount,
                identification: profile.identification
            )
        )
        return answer.outcome == .approve ? nil : .inReview
    }
}

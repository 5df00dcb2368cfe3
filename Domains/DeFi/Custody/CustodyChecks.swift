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

    /// What a withdrawal is promised to cost, unless somebody holds something against it; what a person must look at
    /// is asked about again before it is signed.
    ///
    /// - Throws: 403 `user_not_active`; 422 for fees and compliance; 503 `checks_unavailable`.
    func quote(
        _ amount: Money,
        by user: ID<User>,
        for id: ID<CustodyWithdrawal>,
        to destination: MoneyMovement.Destination
    ) async throws -> FeeQuote {
        guard let profile = try await users.profile(user), profile.isActive else {
            throw Problem(403, "user_not_active", "This user may not move money. Contact support.")
        }
        let context = FeeContext(amount: amount, tier: FeeTier(rawValue: profile.feeTier) ?? .tier1)
        let quote = try await fees.current().quote(Self.feeOperation, context, id: ids.next(), at: clock.now())
        let payout = Payout(subject: id.value, user: user, amount: amount, to: destination)
        let answer = try await compliance.check(payout.movement(profile.identification))
        if let refusal = answer.refusal, answer.outcome != .review { throw refusal }
        return quote
    }

    /// Whether a withdrawal may be signed by what is known now; what a customer asked for who is locked now waits.
    ///
    /// - Throws: what the stores throw; it isn't signed then.
    func standing(
        of withdrawal: CustodyWithdrawal,
        to destination: MoneyMovement.Destination
    ) async throws -> MovementStanding {
        guard let profile = try await users.profile(withdrawal.user), profile.isActive else { return .waits }
        let payout = Payout(
            subject: withdrawal.id.value,
            user: withdrawal.user,
            amount: withdrawal.amount,
            to: destination
        )
        return try await compliance.standing(
            of: payout.movement(profile.identification),
            since: withdrawal.createdAt
        )
    }

    /// Why a deposit isn't credited to its owner; nil when it is.
    ///
    /// What the customer can do something about, and what nobody has decided in time, stays in review.
    func hold(_ deposit: CustodyDeposit, owner: ID<User>) async throws -> CustodyDeposit.Hold? {
        // Whom another process has locked or closed has nothing credited from then on.
        users.forget(owner)
        guard let profile = try await users.profile(owner), profile.isActive else { return .ownerNotActive }
        for address in deposit.senders {
            let sender = ScreenedAddress(
                subject: deposit.id.value,
                user: owner,
                account: "\(deposit.chain):\(address)",
                use: .deposit
            )
            switch try await screening.screen(sender).outcome {
            case .block: return .addressBlocked
            case .review: return .inReview
            case .approve: break
            }
        }
        let movement = MoneyMovement(
            subject: deposit.id.value,
            user: owner,
            kind: .deposit,
            amount: deposit.amount,
            identification: profile.identification
        )
        switch try await compliance.standing(of: movement, since: deposit.createdAt) {
        case .goesOn: return nil
        case .waits: return .inReview
        case .refused(let answer): return answer.isForGood ? .refused : .inReview
        }
    }
}

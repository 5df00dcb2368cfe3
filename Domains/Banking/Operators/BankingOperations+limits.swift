public import DomainKit
public import Kernel
public import Ledger
import PostgreSQL

extension BankingOperations {
    /// Whose limits of what: a user's account, an operation, an asset.
    public struct LimitSubject: Sendable {
        let user: ID<User>
        let account: BankAccount.Kind
        let operation: BankTransaction.Kind
        let asset: Asset

        /// A subject; nil for an account or operation that Banking doesn't have.
        public init?(user: ID<User>, account: String, operation: String, asset: Asset) {
            guard let account = BankAccount.Kind(rawValue: account), account.isOurs,
                let operation = BankTransaction.Kind(rawValue: operation)
            else { return nil }
            (self.user, self.account, self.operation, self.asset) = (user, account, operation, asset)
        }
    }

    /// The limits of a user's account and what is used of them, as the account's own answer has them.
    ///
    /// - Throws: 422 for a kind of account that has none.
    public func limits(of user: ID<User>, account: String) async throws -> [JSON] {
        guard let kind = BankAccount.Kind(rawValue: account), kind.isOurs else {
            throw Problem(422, "no_such_account", "There is no account \(account): checking or savings.")
        }
        return try await LimitReports(schema: runtime.schema, pool: runtime.pool).of(user, kind).map(\.json)
    }

    /// Gives an account limits of its own from now on; nil gives it the usual ones again.
    ///
    /// - Throws: 422 `asset_not_supported`.
    public func setLimits(
        _ limits: AccountLimits?,
        of subject: LimitSubject,
        because reason: String,
        by initiator: Initiator
    ) async throws {
        guard try await accounts.assets.all().contains(subject.asset) else {
            throw Problem(422, "asset_not_supported", "Banking doesn't hold \(subject.asset.code).")
        }
        let key = AccountKey(subject.user, subject.account.rawValue, subject.asset)
        let account = try await runtime.accounts.open(key)
        let words = limits.map { "\($0.perTransaction) at once, \($0.perDay) a day, \($0.perMonth) a month" }
        let done = Intervention(
            limits == nil ? "account.limits_removed" : "account.limits_set",
            "ledger_account",
            account,
            because: "\(subject.operation.rawValue): \(words ?? "the usual ones"): \(reason)",
            commands: [.limit(account, counter: subject.operation.rawValue, to: limits)]
        )
        try await done.apply(to: runtime, by: initiator, ids: ids, in: subject.asset)
    }
}

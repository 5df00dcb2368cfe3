import DomainKit
public import Kernel
import PostgreSQL

// Accounts, as operators see and change them.
extension InvestingOperations {
    /// Trading accounts, newest first: of one user, or those that aren't open.
    public func accounts(of user: ID<User>?, limit: Int) async throws -> [JSON] {
        let rows = try await runtime.pool.query(
            """
            select \(TradingAccount.columns(in: runtime.schema)) from \(runtime.schema).accounts a
            where a.parent is null and (a.user_id = \(user)::uuid or \(user)::uuid is null and a.status <> 'open')
            order by a.id desc limit \(min(limit, InvestingOperations.listMax))
            """
        )
        return try rows.map { row in
            let account = try TradingAccount.read(row)
            return [
                "id": .string(account.id.wire), "user": .string(account.user.wire),
                "type": .string(account.kind.rawValue), "status": .string(account.status.rawValue),
                "margin_enabled": .bool(account.isMarginEnabled), "risk_tolerance": .string(account.riskTolerance),
                "created_at": .string(account.createdAt.description),
            ]
        }
    }

    /// Gives an account another status (`open`, `restricted`, `closed`) or another margin flag; nil leaves it as it is.
    ///
    /// Once this has answered, no process takes an order of an account that isn't open.
    ///
    /// - Throws: 404 `account_not_found`; 409 `orders_open`; 422 `unknown_status`, `no_margin_account`.
    public func changeAccount(
        _ account: String,
        status: String? = nil,
        isMarginEnabled: Bool? = nil,
        because reason: String,
        by operator: String
    ) async throws -> JSON {
        let known = try await runtime.pool.query(
            """
            select \(TradingAccount.columns(in: runtime.schema)) from \(runtime.schema).accounts a
            where a.id = \(ID<TradingAccount>(wire: account))
            """
        )
        guard let old = try known.first.map(TradingAccount.read) else {
            throw Problem(404, "account_not_found", "There is no account \(account).")
        }
        guard isMarginEnabled != true || old.kind == .margin else {
            throw Problem(
                422,
                "no_margin_account",
                "Only margin accounts may borrow; this one is \(old.kind.rawValue)."
            )
        }
        let change: JSON = [
            "account": .string(account), "status": .string(status ?? old.status.rawValue),
            "margin_enabled": .bool(isMarginEnabled ?? old.isMarginEnabled), "reason": .string(reason),
            "before": ["status": .string(old.status.rawValue), "margin_enabled": .bool(old.isMarginEnabled)],
        ]
        return try await ask(.changeAccount, change, by: `operator`)
    }
}

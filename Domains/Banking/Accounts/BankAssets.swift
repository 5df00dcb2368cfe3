import Kernel
import PostgreSQL

/// What withdrawals of an asset are held to.
struct WithdrawalRules: Sendable {
    let minimum: Money
    let maximum: Money
    /// The most of one UTC day.
    let daily: Money
    /// What fees are charged for.
    let feeOperation: String

    /// - Throws: 422 `amount_below_minimum` or `amount_above_maximum`.
    func check(_ amount: Money) throws(Problem) {
        guard amount.minorUnits >= minimum.minorUnits else {
            throw Problem(422, "amount_below_minimum", "A withdrawal is at least \(minimum). Choose a larger amount.")
        }
        guard amount.minorUnits <= maximum.minorUnits else {
            throw Problem(422, "amount_above_maximum", "A withdrawal is at most \(maximum). Choose a smaller amount.")
        }
    }
}

/// The assets that Banking holds.
struct BankAssets: Sendable {
    let schema: Schema
    let pool: Pool

    /// All of them.
    func all() async throws -> [Asset] {
        try await pool.query("select code from \(schema).assets order by code").compactMap { Asset(code: try $0[0]) }
    }

    /// - Throws: 422 `asset_not_supported`.
    func withdrawalRules(_ asset: Asset) async throws -> WithdrawalRules {
        let rows = try await pool.query(
            """
            select withdrawal_minimum, withdrawal_maximum, withdrawal_daily, withdrawal_fee_operation
            from \(schema).assets where code = \(asset.code) and is_active
            """
        )
        guard let row = rows.first else {
            throw Problem(422, "asset_not_supported", "Banking doesn't hold \(asset.code).")
        }
        return WithdrawalRules(
            minimum: Money(minorUnits: try row["withdrawal_minimum"], asset),
            maximum: Money(minorUnits: try row["withdrawal_maximum"], asset),
            daily: Money(minorUnits: try row["withdrawal_daily"], asset),
            feeOperation: try row["withdrawal_fee_operation"]
        )
    }
}

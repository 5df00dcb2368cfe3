import Kernel
import PostgreSQL

/// What deposits and withdrawals of an asset are held to.
struct CustodyAsset: Sendable, Hashable {
    let depositMinimum: Money
    let withdrawalMinimum: Money
    let withdrawalMaximum: Money
    /// The most that a customer takes out in one UTC day.
    let withdrawalDaily: Money
    /// Whether withdrawals are taken now; deposits are credited in either case.
    let isActive: Bool

    var asset: Asset { depositMinimum.asset }

    /// - Throws: 422 `asset_not_supported`, `amount_below_minimum` or `amount_above_maximum`.
    func check(withdrawal amount: Money) throws(Problem) {
        guard isActive else { throw CustodyAssets.notServed(asset) }
        guard amount.minorUnits >= withdrawalMinimum.minorUnits else {
            throw Problem(
                422,
                "amount_below_minimum",
                "A withdrawal is at least \(withdrawalMinimum). Choose a larger amount."
            )
        }
        guard amount.minorUnits <= withdrawalMaximum.minorUnits else {
            throw Problem(
                422,
                "amount_above_maximum",
                "A withdrawal is at most \(withdrawalMaximum). Choose a smaller amount."
            )
        }
    }
}

/// The assets that are kept for customers.
struct CustodyAssets: Sendable {
    let schema: Schema
    let pool: Pool

    /// All of them that a chain has, by code.
    func all(on chain: any CustodyChain) async throws -> [CustodyAsset] {
        try await pool.query(
            """
            select asset, is_active, deposit_minimum, withdrawal_minimum, withdrawal_maximum, withdrawal_daily
            from \(schema).custody_assets order by asset
            """
        ).compactMap { row in
            guard let asset = Asset(code: try row["asset"]), chain.has(asset) else { return nil }
            return CustodyAsset(
                depositMinimum: Money(minorUnits: try row["deposit_minimum"], asset),
                withdrawalMinimum: Money(minorUnits: try row["withdrawal_minimum"], asset),
                withdrawalMaximum: Money(minorUnits: try row["withdrawal_maximum"], asset),
                withdrawalDaily: Money(minorUnits: try row["withdrawal_daily"], asset),
                isActive: try row["is_active"]
            )
        }
    }

    /// - Throws: 422 `asset_not_supported`.
    func asset(_ asset: Asset, on chain: any CustodyChain) async throws -> CustodyAsset {
        guard let found = try await all(on: chain).first(where: { $0.asset == asset }) else {
            throw Self.notServed(asset)
        }
        return found
    }

    static func notServed(_ asset: Asset) -> Problem {
        Problem(
            422,
            "asset_not_supported",
            "\(asset.code) isn't kept here on a chain now.",
            faults: [Problem.Fault("/asset", "asset_not_supported")]
        )
    }
}

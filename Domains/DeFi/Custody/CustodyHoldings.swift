import Kernel
import Ledger

/// What the chain says the custodian has, beside what the books say.
struct CustodyHoldings: Sendable {
    /// What there is of an asset, in minor units.
    struct Holding: Hashable, Sendable {
        let asset: Asset
        let onChain: Int128
        /// The account `custody`: below zero.
        let booked: Int128

        /// What the chain has beyond the books: nothing, once everything on its way is final.
        var difference: Int128 { onChain + booked }
    }

    let chain: any CustodyChain
    let accounts: LedgerAccounts

    /// Holdings of assets, as of a block.
    func holdings(of assets: [Asset], at number: Int64) async throws -> [Holding] {
        let amounts = try await chain.holdings(of: assets, at: number)
        let house = try await accounts.balances(of: AccountKey.house).filter { $0.kind == CustodyBooks.custody }
        return zip(assets, amounts).map { asset, onChain in
            let booked = house.first { $0.total.asset == asset }?.total.minorUnits ?? 0
            return Holding(asset: asset, onChain: onChain, booked: booked)
        }
    }
}

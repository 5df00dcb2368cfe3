import Kernel
import Ledger
import WalletCrypto

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

    let chain: EthereumChain
    let custodian: any Custodian
    let accounts: LedgerAccounts

    /// Holdings of assets, as of a block.
    func holdings(of assets: [Asset], at number: Int64) async throws -> [Holding] {
        let node = chain.nodes.first
        let tokens = assets.compactMap { chain.deployment.token($0) }
        let answers = try await node.views(
            tokens.map { .balance(of: custodian.account, in: $0) },
            at: .number(number)
        )
        let house = try await accounts.balances(of: AccountKey.house).filter { $0.kind == CustodyBooks.custody }
        var holdings: [Holding] = []
        for asset in assets {
            let onChain: Int128
            if asset == EthereumChain.gasAsset {
                onChain = Int128(clamping: try await node.balance(of: custodian.account, at: .number(number)))
            } else {
                guard let place = tokens.firstIndex(where: { $0 == chain.deployment.token(asset) }),
                    let answer = answers[place]
                else { throw NodeError.malformed("balance of \(asset.code)") }
                onChain = Int128(clamping: BigUInt(bigEndian: answer))
            }
            let booked = house.first { $0.total.asset == asset }?.total.minorUnits ?? 0
            holdings.append(Holding(asset: asset, onChain: onChain, booked: booked))
        }
        return holdings
    }
}

import Kernel
import Ledger
import PostgreSQL

/// Decides for a rule of strategies, and builds what the user only has to sign.
protocol StrategyMaker: Sendable {
    var schema: Schema { get }
    var pool: Pool { get }
    var openings: IntentOpenings { get }
}

extension StrategyMaker {
    var chain: EthereumChain { openings.maker.chain }
    var ids: IDGenerator { openings.ids }
    var clock: any WallClock { openings.clock }
    var strategies: Strategies { Strategies(schema: schema, pool: pool) }
    /// No new intents.
    var none: OpenedIntents? { nil }

    /// Opens what starts an amount in an offer, with the rules of the strategy that it comes from; with it goes the row
    /// of a new strategy where the wallet has none there.
    func opening(
        _ calls: [IntentMaker.Call],
        from wallet: LinkedWallet,
        in offer: Deployment.Offer,
        like strategy: Strategy,
        speed: GasPrice.Speed
    ) async throws -> (opened: OpenedIntents, new: [any StoredRow]) {
        let known = try await strategies.open(of: wallet.id, in: offer)
        let id: ID<Strategy> = known?.id ?? ids.next()
        let drafts = try await openings.maker.drafts(calls, from: wallet, strategy: id, speed: speed)
        let opened = try await openings.open(drafts)
        guard known == nil else { return (opened, []) }
        return (
            opened,
            [NewStrategyRow(id: id, wallet: wallet, chain: chain.name, offer: offer, rules: strategy.rules)]
        )
    }
}

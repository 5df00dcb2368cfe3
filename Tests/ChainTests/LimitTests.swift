import DomainKit
import Kernel
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// Limits that are reached, among everything else that rules want in a block.
@Suite(.serialized)
struct LimitTests {
    private static let atOnce = 40

    @Test func `a limit isn't drawn among what can wait, and is built once`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada)
            let (block, breach) = try await world.breach(of: strategy)
            let closing = [StrategyWish](repeating: .close(strategy), count: 20 * StrategyWatch.wishesMax)
            let watch = world.parts.follower.strategies
            for _ in 0..<2 { await watch.act(on: closing + [.exit(breach)], at: block, world.runtime.ledger) }
            let exits = try await world.parts.intents.list(of: strategy.id).filter { $0.kind == .exit }
            #expect(exits.map(\.state) == [.built])
            #expect(try await world.alerts() == 1)
        }
    }

    @Test func `many limits in one block all have their exits, at one price for gas`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada)
            let (block, breach) = try await world.breach(of: strategy)
            // As many positions of the same wallet: each is asked about and built for itself.
            let copies = try await world.copies(of: strategy, Self.atOnce)
            let wishes = copies.map { copy in
                StrategyWish.exit(
                    StrategyBreach(strategy: copy, rule: .stopLoss, value: breach.value, judgement: breach.judgement)
                )
            }
            let watch = world.parts.follower.strategies
            let before = try await world.dev.stats()
            let took = await ContinuousClock().measure {
                await watch.act(on: wishes, at: block, world.runtime.ledger)
            }
            print("\(Self.atOnce) limits at once: \(took)")
            let built: Int = try await world.pool.query("select count(*) from defi.intents where state = 'built'")[0][0]
            #expect(built == Self.atOnce)
            let after = try await world.dev.stats()
            #expect(after["eth_feeHistory", default: 0] - before["eth_feeHistory", default: 0] == 1)
        }
    }
}

extension ChainWorld {
    /// A limit of a strategy, reached in the block that is the newest.
    fileprivate func breach(of strategy: Strategy) async throws -> (EthereumBlock, StrategyBreach) {
        let head = try await chain.nodes.head()
        let block = try #require(try await chain.nodes.block(head))
        let value = try #require(strategy.value)
        let judgement = StrategyRules.Judgement(peak: 0, drawdown: 0, breaches: [.stopLoss])
        return (block, StrategyBreach(strategy: strategy, rule: .stopLoss, value: value, judgement: judgement))
    }

    /// The same position again and again, as if each were another strategy, without a share of the books.
    fileprivate func copies(of strategy: Strategy, _ count: Int) async throws -> [Strategy] {
        let ids = (0..<count).map { _ in self.ids.next(Strategy.self) }
        _ = try await pool.query(
            """
            insert into defi.strategies (id, user_id, wallet, chain, address, offer, asset, status, is_numbered, value,
                valued_number, valued_hash, valued_at, created_at, updated_at)
            select n.id, s.user_id, s.wallet, s.chain, s.address, s.offer, s.asset, 'active', true, s.value,
                s.valued_number, s.valued_hash, s.valued_at, now(), now()
            from defi.strategies s, unnest(\(ids)) as n(id) where s.id = \(strategy.id)
            """
        )
        var copies: [Strategy] = []
        for id in ids {
            if let copy = try await parts.strategies.find(id) { copies.append(copy) }
        }
        return copies
    }
}

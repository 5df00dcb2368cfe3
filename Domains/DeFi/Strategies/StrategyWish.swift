import Kernel
import Ledger
import Logging
import PostgreSQL

/// What a rule wants after a block.
enum StrategyWish: Sendable {
    /// Leave: a limit is reached.
    case exit(Strategy, StrategyRules.Breach, Strategy.Value, StrategyRules.Judgement)
    /// See whether a harvest pays.
    case compound(Strategy, PositionReading.Worth)
    /// See whether another offer is worth moving to.
    case rebalance(Strategy, PositionReading.Worth)
    /// Go on with a position that has left for another offer.
    case move(Move)
    /// End what its owner has left elsewhere.
    case close(Strategy)
}

extension StrategyWatch {
    /// Wishes that are looked after in one block; the rest have their turn in the next ones, which want the same.
    static let wishesMax = 100

    /// Does what rules want, each for itself: what fails is wanted again in the next block.
    func act(on wishes: [StrategyWish], at block: EthereumBlock, _ ledger: Ledger) async {
        for wish in wishes.shuffled().prefix(Self.wishesMax) {
            do {
                guard let item = try await item(for: wish, at: block) else { continue }
                _ = try await ledger.submit(item)
            } catch {
                // A nonce that another one took, a node that doesn't answer, a strategy that moved meanwhile.
                logger.warning(
                    "what a rule wants waits for the next block",
                    metadata: ["chain": "\(chain.name)", "block": "\(block.number)", "error": "\(error)"]
                )
            }
        }
    }

    private func item(for wish: StrategyWish, at block: EthereumBlock) async throws -> LedgerItem? {
        switch wish {
        case .exit(let strategy, let breach, let value, let judgement):
            try await exits.item(for: breach, strategy, value, judgement)
        case .compound(let strategy, let worth): try await compounds.item(strategy, worth, at: block)
        case .rebalance(let strategy, let worth): try await rebalances.item(strategy, worth, at: block)
        case .move(let move): try await moves.item(move, at: block)
        case .close(let strategy): try await closing(strategy)
        }
    }

    /// Ends the books of a position that has been empty for as long as it takes to be final.
    ///
    /// Whatever came out, its owner took it elsewhere. Refused by the ledger while an exit holds it.
    private func closing(_ strategy: Strategy) async throws -> LedgerItem {
        let transfer = NewTransfer(
            id: ids.next(),
            debit: try await accounts.open(
                IntentBooks.deployed(strategy.id, of: strategy.user, strategy.asset)
            ),
            credit: try await accounts.open(AccountKey(house: IntentBooks.onChain, strategy.asset)),
            amount: strategy.principal,
            code: "strategy_left_elsewhere"
        )
        let effect = StrategyEffect(
            strategy: strategy.id,
            principal: -strategy.principal,
            pairPrincipal: -strategy.pairPrincipal,
            withdrawn: strategy.principal,
            pairWithdrawn: strategy.pairPrincipal
        )
        return LedgerItem(operation: strategy.id.cast(), commands: [.transfer(transfer)]) { decision, _ in
            guard case .success = decision else { return LedgerItem.Finish() }
            return LedgerItem.Finish(rows: [effect])
        }
    }
}

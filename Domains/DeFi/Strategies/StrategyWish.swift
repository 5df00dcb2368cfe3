import Kernel
import Ledger
import Logging
import PostgreSQL

/// What a rule wants after a block.
enum StrategyWish: Sendable {
    /// Leave: a limit is reached.
    case exit(StrategyBreach)
    /// See whether a harvest pays.
    case compound(Strategy, PositionReading.Worth)
    /// See whether another offer is worth moving to.
    case rebalance(Strategy, PositionReading.Worth)
    /// Go on with a position that has left for another offer.
    case move(Move)
    /// Put what was harvested to work again.
    case restart(Harvest)
    /// Tell that a share of an offer is worth less.
    case tell(OfferFall)
    /// End what its owner has left elsewhere.
    case close(Strategy)
}

/// A limit that a block shows to be reached.
struct StrategyBreach: Sendable {
    let strategy: Strategy
    let rule: StrategyRules.Breach
    let value: Strategy.Value
    let judgement: StrategyRules.Judgement

    /// What is left of each unit that went in, in billionths: the less, the greater the need.
    var left: Int128 {
        let principal = strategy.principal + strategy.pairBasis
        return principal > 0 ? StrategyRules.worth(of: value.total, for: principal) : 0
    }
}

extension StrategyWatch {
    /// Other wishes than exits that are looked after in one block; the rest have their turn in the next ones, which
    /// want the same.
    static let wishesMax = 100
    /// Exits that are built at the same time: each waits for its node, not for the others.
    static let exitsAtOnceMax = 40

    /// Does what rules want, each for itself: what fails is wanted again in the next block.
    ///
    /// Limits that are reached come first, all of them (`valuedMax` of a block at most), those first that have lost the
    /// most of what went in, and aren't drawn among what can wait.
    ///
    /// What isn't an exit is stored only while the chain is `still` followed from this block by this process: nothing
    /// else of it would tell that another one wants the same.
    func act(
        on wishes: [StrategyWish],
        at block: EthereumBlock,
        still: StillFollowedRow,
        _ ledger: Ledger
    ) async {
        let breaches = wishes.compactMap { wish -> StrategyBreach? in
            guard case .exit(let breach) = wish else { return nil }
            return breach
        }
        await leave(breaches, at: block, ledger)
        // What has just been stored with the block is told with it.
        do {
            for fall in try await falls.due() {
                await fulfil(at: block, still, ledger) { try await item(for: .tell(fall), at: block) }
            }
        } catch {
            tell(error, at: block)
        }
        let others = wishes.filter { wish in
            guard case .exit = wish else { return true }
            return false
        }
        for wish in others.shuffled().prefix(Self.wishesMax) {
            await fulfil(at: block, still, ledger) { try await item(for: wish, at: block) }
        }
    }

    /// Builds the exits of limits that were reached and that have none, at one price for gas.
    private func leave(_ breaches: [StrategyBreach], at block: EthereumBlock, _ ledger: Ledger) async {
        guard !breaches.isEmpty else { return }
        do {
            let due = try await exits.due(breaches, at: block.number).sorted { $0.left < $1.left }
            guard !due.isEmpty else { return }
            // Asked for once; where it is too high, each exit's decision says so.
            let price = try? await chain.gasPrice(.fast)
            await withTaskGroup(of: Void.self) { group in
                for (place, breach) in due.enumerated() {
                    // The next one begins when any of those before it is done, so that a slow one holds up nothing.
                    if place >= Self.exitsAtOnceMax { await group.next() }
                    group.addTask {
                        await fulfil(at: block, nil, ledger) { try await exits.item(for: breach, price: price) }
                    }
                }
            }
        } catch {
            tell(error, at: block)
        }
    }

    private func fulfil(
        at block: EthereumBlock,
        _ still: StillFollowedRow?,
        _ ledger: Ledger,
        _ make: @Sendable () async throws -> LedgerItem?
    ) async {
        do {
            guard let item = try await make() else { return }
            guard let still else {
                _ = try await ledger.submit(item)
                return
            }
            let fence = LedgerItem(operation: ids.next(), commands: []) { _, _ in .init(rows: [still]) }
            _ = try await ledger.submit(batch: [item, fence])
        } catch {
            // A node that doesn't answer, a strategy that moved meanwhile.
            tell(error, at: block)
        }
    }

    private func tell(_ error: any Error, at block: EthereumBlock) {
        logger.warning(
            "what a rule wants waits for the next block",
            metadata: ["chain": "\(chain.name)", "block": "\(block.number)", "error": "\(error)"]
        )
    }

    private func item(for wish: StrategyWish, at block: EthereumBlock) async throws -> LedgerItem? {
        switch wish {
        case .exit(let breach): try await exits.item(for: breach, price: nil)
        case .compound(let strategy, let worth): try await compounds.item(strategy, worth, at: block)
        case .rebalance(let strategy, let worth): try await rebalances.item(strategy, worth, at: block)
        case .move(let move): try await moves.item(move, at: block)
        case .restart(let harvest): try await restarts.item(harvest, at: block)
        case .tell(let fall): try await falls.item(fall)
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

import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// New intents, and what stores them.
struct OpenedIntents: Sendable {
    let intents: [Intent]
    /// Hold what they take out of their wallet, and an exit's share of the principal.
    let commands: [LedgerCommand]
    let rows: [any StoredRow]
    fileprivate let news: BalanceNews

    /// What is stored with what the ledger did.
    func stored(_ receipt: LedgerCore.Receipt) -> [any StoredRow] { rows + news.rows(receipt) }
}

extension OpenedIntents? {
    /// What stores the new intents, if there are any, between what they need and what is said of them.
    func storing(_ rows: [any StoredRow], after first: [any StoredRow] = [], _ ids: IDGenerator) -> LedgerItem {
        let opened = self
        return LedgerItem(operation: ids.next(), commands: opened?.commands ?? []) { decision, _ in
            guard case .success(let receipt) = decision else { return LedgerItem.Finish() }
            return LedgerItem.Finish(rows: first + (opened?.stored(receipt) ?? []) + rows)
        }
    }
}

/// Opens intents: builds their transactions and what stores them.
struct IntentOpenings: Sendable {
    let maker: IntentMaker
    let books: IntentBooks
    let accounts: LedgerAccounts
    let ids: IDGenerator
    let clock: any WallClock

    init(_ chain: EthereumChain, books: IntentBooks, clock: any WallClock) {
        maker = IntentMaker(chain: chain, intents: books.store)
        (self.books, accounts, ids, self.clock) = (books, books.accounts, books.ids, clock)
    }

    /// Intents for a strategy's calls, with the reservation of what they take out of its principal.
    ///
    /// - Throws: as `IntentMaker.drafts`.
    func open(
        _ calls: [IntentMaker.Call],
        for strategy: Strategy,
        speed: GasPrice.Speed,
        price: GasPrice? = nil
    ) async throws -> OpenedIntents {
        let wallet = LinkedWallet(id: strategy.wallet, user: strategy.user, address: strategy.address)
        let principal = calls.reduce(0) { $0 + $1.principal }
        let reservation: ID<Reservation>? = principal > 0 ? ids.next() : nil
        let drafts = try await maker.drafts(
            calls,
            from: wallet,
            strategy: strategy.id,
            reservation: reservation,
            speed: speed,
            price: price
        )
        guard let reservation else { return try await open(drafts) }
        let held = NewReservation(
            id: reservation,
            account: try await accounts.open(
                IntentBooks.deployed(strategy.id, of: strategy.user, strategy.asset)
            ),
            amount: principal,
            kind: "strategy_exit",
            // It ends with its intent, which has an end of its own.
            lifetime: .unlimited
        )
        return try await open(drafts, [.reserve(held)])
    }

    /// Intents of drafts of one user, which hold what they take out of their wallet, as far as the books know it.
    func open(_ drafts: [Intent.Draft], _ commands: [LedgerCommand] = []) async throws -> OpenedIntents {
        let now = clock.now()
        let intents = drafts.map { Intent($0, id: ids.next(), at: now) }
        var held = IntentHolds.Change(commands: commands)
        for intent in intents {
            held =
                held
                + (try await books.holds.opening(
                    intent.root,
                    of: intent.user,
                    taking: intent.taken(pair: pair(of: intent)),
                    isNew: intent.replaces == nil
                ))
        }
        let rows = intents.flatMap { [NewIntentRow(intent: $0)] + books.news($0) } + held.rows
        let news = BalanceNews(of: intents[0].user, ids)
        return OpenedIntents(intents: intents, commands: held.commands, rows: rows, news: news)
    }

    /// The other token that a start puts in, where that is an asset of the books.
    private func pair(of intent: Intent) -> Asset? {
        let offers = maker.chain.deployment.offers
        let offer = offers.first { $0.contract == intent.transaction.to }
        return offer?.pair.flatMap { Asset(code: $0.symbol) }
    }
}

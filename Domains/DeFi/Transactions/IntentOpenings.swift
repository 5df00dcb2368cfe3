import Kernel
import Ledger
import PostgreSQL

/// New intents, and what stores them.
struct OpenedIntents: Sendable {
    let intents: [Intent]
    /// Holds an exit's share of the principal.
    let commands: [LedgerCommand]
    let rows: [any StoredRow]
}

/// Opens intents: builds their transactions and what stores them.
struct IntentOpenings: Sendable {
    let maker: IntentMaker
    let books: IntentBooks
    let accounts: LedgerAccounts
    let ids: IDGenerator
    let clock: any WallClock

    init(_ chain: EthereumChain, books: IntentBooks, clock: any WallClock) {
        maker = IntentMaker(chain: chain, intents: books.intents)
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
        guard let reservation else { return open(drafts) }
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
        return open(drafts, [.reserve(held)])
    }

    /// Intents of drafts.
    func open(_ drafts: [Intent.Draft], _ commands: [LedgerCommand] = []) -> OpenedIntents {
        let now = clock.now()
        let intents = drafts.map { Intent($0, id: ids.next(), at: now) }
        let rows = intents.flatMap { [NewIntentRow(intent: $0)] + books.news($0) }
        return OpenedIntents(intents: intents, commands: commands, rows: rows)
    }
}

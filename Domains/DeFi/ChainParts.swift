import DomainKit
import HTTP
import Kernel
import Ledger
import Logging
import ServiceLifecycle

/// Everything of one chain, put together.
struct ChainParts: Sendable {
    let chain: EthereumChain
    let strategies: Strategies
    let follower: ChainFollower
    let sender: IntentSender
    let books: IntentBooks
    var intents: Intents { books.store }
    let custody: CustodyParts?
    let routes: [Route]

    init(
        _ runtime: DomainRuntime,
        _ chain: EthereumChain,
        ids: IDGenerator,
        clock: any WallClock,
        cursors: CursorSigner,
        book: AddressBook,
        logger: Logger,
        custody: CustodyParts? = nil,
        payments: [PaymentParts] = [],
        missingAfterSeconds: Double = ChainFollower.missingAfterSeconds
    ) {
        let (schema, pool, ledger) = (runtime.schema, runtime.pool, runtime.ledger)
        let books = IntentBooks(runtime, ids: ids, chain: chain.name, logger: logger)
        let openings = IntentOpenings(chain, books: books, clock: clock)
        follower = ChainFollower(
            chain: chain,
            blocks: ChainBlocks(schema: schema, pool: pool, chain: chain.name, holder: ids.next(Intent.self).value),
            books: books,
            strategies: StrategyWatch(chain, runtime, openings: openings, logger: logger),
            wallets: WalletWatch(chain: chain, books: WalletBooks(runtime, ids: ids, chain: chain.name)),
            custody: custody?.watch,
            ledger: ledger,
            logger: logger,
            missingAfterSeconds: missingAfterSeconds
        )
        sender = IntentSender(chain, runtime, books: books, logger: logger)
        let strategies = Strategies(schema: schema, pool: pool)
        let payers = Payers(schema: schema, pool: pool)
        let desk = EthereumDesk(
            chain: chain,
            payers: payers,
            book: book,
            openings: openings,
            submissions: Self.submissions(chain, ledger, books, strategies, book, ids, clock),
            sender: sender
        )
        let transactions = IntentRoutes(
            runtime,
            desk,
            payments: payments,
            book: book,
            ids: ids,
            clock: clock,
            cursors: cursors
        )
        let offers = StrategyRoutes(
            chain: chain,
            strategies: strategies,
            payers: payers,
            openings: openings,
            ledger: ledger,
            ids: ids,
            clock: clock
        )
        routes = transactions.routes + offers.routes
        (self.chain, self.books, self.strategies, self.custody) = (chain, books, strategies, custody)
    }

    private static func submissions(
        _ chain: EthereumChain,
        _ ledger: Ledger,
        _ books: IntentBooks,
        _ strategies: Strategies,
        _ book: AddressBook,
        _ ids: IDGenerator,
        _ clock: any WallClock
    ) -> Submissions {
        Submissions(
            calls: StrategyCalls(chain: chain),
            ledger: ledger,
            intents: books.store,
            payers: Payers(schema: strategies.schema, pool: strategies.pool),
            strategies: strategies,
            book: book,
            books: books,
            ids: ids,
            clock: clock
        )
    }
}

import Compliance
import DomainKit
import HTTP
import Kernel
import Ledger
import Logging
import ServiceLifecycle

/// Everything of one chain, put together.
struct ChainParts: Sendable {
    let chain: EthereumChain
    let intents: Intents
    let strategies: Strategies
    let follower: ChainFollower
    let sender: IntentSender
    let books: IntentBooks
    let custody: CustodyParts?
    let routes: [Route]

    init(
        _ runtime: DomainRuntime,
        _ chain: EthereumChain,
        ids: IDGenerator,
        clock: any WallClock,
        cursors: CursorSigner,
        screening: any AddressScreening,
        logger: Logger,
        custody: CustodyParts? = nil,
        missingAfterSeconds: Double = ChainFollower.missingAfterSeconds
    ) {
        let (schema, pool, ledger) = (runtime.schema, runtime.pool, runtime.ledger)
        let intents = Intents(schema: schema, pool: pool)
        let books = IntentBooks(schema: schema, accounts: runtime.accounts, intents: intents, ids: ids)
        let maker = IntentMaker(chain: chain, intents: intents)
        let openings = IntentOpenings(maker: maker, books: books, accounts: runtime.accounts, ids: ids, clock: clock)
        let watch = StrategyWatch(
            chain: chain,
            runtime: runtime,
            ids: ids,
            clock: clock,
            openings: openings,
            logger: logger
        )
        follower = ChainParts.follower(runtime, chain, books, watch, custody, missingAfterSeconds, logger)
        sender = ChainParts.sender(runtime, chain, intents, books, logger)
        let strategies = Strategies(schema: schema, pool: pool)
        let payers = Payers(schema: schema, pool: pool, screening: screening)
        let payments = IntentRoutes(
            chain: chain,
            intents: intents,
            payers: payers,
            openings: openings,
            submissions: Submissions(
                ledger: ledger,
                intents: intents,
                strategies: strategies,
                payers: payers,
                books: books,
                ids: ids,
                clock: clock
            ),
            sender: sender,
            ledger: ledger,
            ids: ids,
            signer: cursors
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
        routes = payments.routes + offers.routes + (custody?.routes ?? [])
        (self.chain, self.intents, self.books) = (chain, intents, books)
        (self.strategies, self.custody) = (strategies, custody)
    }

    private static func follower(
        _ runtime: DomainRuntime,
        _ chain: EthereumChain,
        _ books: IntentBooks,
        _ strategies: StrategyWatch,
        _ custody: CustodyParts?,
        _ missingAfterSeconds: Double,
        _ logger: Logger
    ) -> ChainFollower {
        let holder = books.ids.next(Intent.self).value
        return ChainFollower(
            chain: chain,
            blocks: ChainBlocks(schema: runtime.schema, pool: runtime.pool, chain: chain.name, holder: holder),
            intents: books.intents,
            books: books,
            strategies: strategies,
            custody: custody?.watch,
            ledger: runtime.ledger,
            logger: logger,
            missingAfterSeconds: missingAfterSeconds
        )
    }

    private static func sender(
        _ runtime: DomainRuntime,
        _ chain: EthereumChain,
        _ intents: Intents,
        _ books: IntentBooks,
        _ logger: Logger
    ) -> IntentSender {
        IntentSender(
            chain: chain,
            schema: runtime.schema,
            pool: runtime.pool,
            intents: intents,
            books: books,
            ledger: runtime.ledger,
            logger: logger
        )
    }
}

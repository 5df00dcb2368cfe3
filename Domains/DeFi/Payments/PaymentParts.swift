import DomainKit
import Kernel
import Logging

/// Everything of one chain of payments, put together.
struct PaymentParts: Sendable {
    let chain: any PaymentChain
    let follower: PaymentFollower
    let sender: PaymentSender
    let books: PaymentBooks
    let custody: CustodyParts?

    init(
        _ runtime: DomainRuntime,
        _ chain: any PaymentChain,
        ids: IDGenerator,
        logger: Logger,
        custody: CustodyParts? = nil,
        missingAfterSeconds: Double = ChainFollower.missingAfterSeconds
    ) {
        let (schema, pool) = (runtime.schema, runtime.pool)
        let books = PaymentBooks(runtime, ids: ids, chain: chain.name, logger: logger)
        let holder = ids.next(Intent.self).value
        follower = PaymentFollower(
            chain: chain,
            blocks: ChainBlocks(schema: schema, pool: pool, chain: chain.name, holder: holder),
            books: books,
            wallets: PaymentWallets(
                chain: chain,
                books: WalletBooks(runtime, ids: ids, chain: chain.name),
                logger: logger
            ),
            custody: custody?.watch,
            ledger: runtime.ledger,
            logger: logger,
            missingAfterSeconds: missingAfterSeconds
        )
        sender = PaymentSender(chain: chain, books: books, ledger: runtime.ledger, logger: logger)
        (self.chain, self.books, self.custody) = (chain, books, custody)
    }
}

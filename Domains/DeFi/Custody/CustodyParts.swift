import DomainKit
import Kernel
import Logging

/// Everything of custody on one chain, put together.
struct CustodyParts: Sendable {
    let chain: any CustodyChain
    let watch: CustodyWatch
    let sender: CustodySender
    let deposits: CustodyDeposits
    let withdrawals: CustodyWithdrawals
    let reconciliation: CustodyReconciliation
    let waiting: CustodyWaiting
    let faults: CustodyFaults
    let freezes: CustodyFreezes
    let orders: CustodyOrders

    /// `kept` is what is kept on this chain and all others.
    init(
        _ runtime: DomainRuntime,
        _ chain: any CustodyChain,
        kept: [Asset],
        checks: CustodyChecks,
        book: AddressBook,
        ids: IDGenerator,
        logger: Logger
    ) {
        (self.chain, waiting) = (chain, CustodyWaiting(runtime, chain, logger: logger))
        let (schema, pool) = (runtime.schema, runtime.pool)
        let assets = CustodyAssets(schema: schema, pool: pool)
        deposits = CustodyDeposits(runtime, on: chain.name, logger: logger)
        withdrawals = CustodyWithdrawals(runtime, on: chain.name, logger: logger)
        freezes = CustodyFreezes(runtime: runtime, kept: kept, ids: ids, logger: logger)
        let books = CustodyBooks(
            schema: schema,
            accounts: runtime.accounts,
            withdrawals: withdrawals,
            coin: chain.coin,
            freezes: freezes,
            ids: ids
        )
        faults = CustodyFaults(runtime, chain, ids: ids, logger: logger)
        watch = CustodyWatch(
            chain: chain,
            assets: assets,
            blocks: CustodyBlocks(schema: schema, pool: pool),
            deposits: deposits,
            withdrawals: withdrawals,
            books: books,
            checks: checks,
            faults: faults,
            freezes: freezes,
            ids: ids,
            logger: logger
        )
        sender = CustodySender(
            chain,
            runtime,
            withdrawals: withdrawals,
            books: books,
            checks: checks,
            payouts: PayoutChecks(book),
            faults: faults,
            logger: logger
        )
        let holdings = CustodyHoldings(chain: chain, accounts: runtime.accounts)
        reconciliation = CustodyReconciliation(holdings: holdings, assets: assets, runtime: runtime, logger: logger)
        orders = CustodyOrders(
            chain: chain,
            assets: assets,
            book: book,
            payouts: PayoutChecks(book),
            books: books,
            checks: checks,
            ledger: runtime.ledger,
            ids: ids
        )
    }

    /// Deposits and withdrawals as projections want them, in the order of their ids, after one of them; whatever chains
    /// are followed.
    static func export(
        _ runtime: DomainRuntime,
        after id: UInt128,
        limit: Int
    ) async throws -> [(id: UInt128, version: Int64, at: Timestamp, payload: JSON)] {
        let came = try await CustodyDeposits(schema: runtime.schema, pool: runtime.pool).export(after: id, limit: limit)
            .map { (id: $0.id.value, version: $0.told, at: $0.updatedAt, payload: $0.projected(balances: [])) }
        let left = try await CustodyWithdrawals(schema: runtime.schema, pool: runtime.pool)
            .export(after: id, limit: limit)
            .map { (id: $0.id.value, version: $0.version, at: $0.updatedAt, payload: $0.projected(balances: [])) }
        return Array((came + left).sorted { $0.id < $1.id }.prefix(limit))
    }
}

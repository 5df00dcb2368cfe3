import DomainKit
import HTTP
import Kernel
import Logging

/// Everything of custody on one chain, put together.
struct CustodyParts: Sendable {
    let watch: CustodyWatch
    let sender: CustodySender
    let deposits: CustodyDeposits
    let withdrawals: CustodyWithdrawals
    let reconciliation: CustodyReconciliation
    let faults: CustodyFaults
    let operations: CustodyOperations
    let routes: [Route]

    init(
        _ runtime: DomainRuntime,
        _ chain: EthereumChain,
        custodian: any Custodian,
        checks: CustodyChecks,
        book: AddressBook,
        ids: IDGenerator,
        cursors: CursorSigner,
        logger: Logger
    ) {
        let (schema, pool) = (runtime.schema, runtime.pool)
        let assets = CustodyAssets(schema: schema, pool: pool)
        deposits = CustodyDeposits(schema: schema, pool: pool)
        withdrawals = CustodyWithdrawals(schema: schema, pool: pool)
        let freezes = CustodyFreezes(runtime: runtime, assets: assets, chain: chain, ids: ids, logger: logger)
        let books = CustodyBooks(
            schema: schema,
            accounts: runtime.accounts,
            withdrawals: withdrawals,
            freezes: freezes,
            ids: ids
        )
        faults = CustodyFaults(runtime, chain, ids: ids, logger: logger)
        watch = CustodyWatch(
            chain: chain,
            custodian: custodian,
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
        let payouts = PayoutChecks(book)
        sender = CustodySender(
            chain,
            custodian,
            runtime,
            withdrawals: withdrawals,
            books: books,
            checks: checks,
            payouts: payouts,
            faults: faults,
            logger: logger
        )
        let holdings = CustodyHoldings(chain: chain, custodian: custodian, accounts: runtime.accounts)
        reconciliation = CustodyReconciliation(holdings: holdings, assets: assets, runtime: runtime, logger: logger)
        operations = CustodyOperations(reconciliation: reconciliation, faults: faults, freezes: freezes)
        let orders = Self.orders(chain, custodian, assets, withdrawals, book, payouts, books, checks, runtime, ids)
        routes = CustodyRoutes(orders: orders, deposits: deposits, signer: cursors).routes
    }

    private static func orders(
        _ chain: EthereumChain,
        _ custodian: any Custodian,
        _ assets: CustodyAssets,
        _ withdrawals: CustodyWithdrawals,
        _ book: AddressBook,
        _ payouts: PayoutChecks,
        _ books: CustodyBooks,
        _ checks: CustodyChecks,
        _ runtime: DomainRuntime,
        _ ids: IDGenerator
    ) -> CustodyOrders {
        CustodyOrders(
            chain: chain,
            custodian: custodian,
            assets: assets,
            withdrawals: withdrawals,
            book: book,
            payouts: payouts,
            books: books,
            checks: checks,
            ledger: runtime.ledger,
            ids: ids
        )
    }

    /// Deposits and withdrawals as projections want them, in the order of their ids, after one of them.
    func export(
        after id: UInt128,
        limit: Int
    ) async throws -> [(id: UInt128, version: Int64, at: Timestamp, payload: JSON)] {
        let came = try await deposits.export(after: id, limit: limit)
            .map { (id: $0.id.value, version: $0.told, at: $0.updatedAt, payload: $0.projected(balances: [])) }
        let left = try await withdrawals.export(after: id, limit: limit)
            .map { (id: $0.id.value, version: $0.version, at: $0.updatedAt, payload: $0.projected(balances: [])) }
        return Array((came + left).sorted { $0.id < $1.id }.prefix(limit))
    }
}

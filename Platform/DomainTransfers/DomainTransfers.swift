public import DomainKit
public import HTTP
public import Kernel
import Ledger
public import Logging
public import Messaging
public import PostgreSQL
public import ServiceLifecycle

/// Money between one domain and the others: the same for every domain, mounted with what is its own.
///
/// The source debits the customer, credits `in_transit:TARGET` and tells the target, in one transaction; the target
/// debits its `in_transit:SOURCE`, credits the customer and tells the source, or tells it that it won't, upon which the
/// source brings the money back. Each step commits with the mark of the event that caused it, so that any of them may
/// be repeated, and whatever dies between two of them, the next one follows.
public struct DomainTransfers: Sendable {
    /// What is a domain's own.
    public struct Mount: Sendable {
        /// The other domains.
        public let others: [Schema]
        /// The kind of the customer's ledger account: `checking`.
        public let account: String
        /// The assets that the domain holds; others are refused when they come and can't be sent.
        public let assets: Set<Asset>

        /// A mount.
        public init(others: [Schema], account: String, assets: Set<Asset>) {
            (self.others, self.account, self.assets) = (others, account, assets)
        }
    }

    /// `POST` and `GET /v1/{domain}/transfers`, and `GET /v1/{domain}/transfers/{id}`.
    public let routes: [Route]
    /// The watch over money in transit, and over what waits for a person.
    public let services: [any Service]
    /// What handles the other domains' events about transfers, by source.
    public let inboxHandlers: [String: any InboxHandler]
    /// The domain's schema.
    public let schema: Schema

    private let transfers: Transfers
    private let held: HeldTransfers

    /// Transfers of the domain of a runtime; `mayWrite` says whether this process commits the ledger's operations now.
    public init(
        _ runtime: DomainRuntime,
        _ mount: Mount,
        book: any TransferBook,
        ids: IDGenerator,
        cursors: CursorSigner,
        logger: Logger,
        mayWrite: @escaping @Sendable () -> Bool = { true }
    ) {
        let name = runtime.schema.name
        let transfers = Transfers(schema: runtime.schema, pool: runtime.pool)
        let accounts = TransferAccounts(accounts: runtime.accounts, kind: mount.account)
        let journal = TransferJournal(ids: ids)
        let sending = TransferSending(
            schema: name,
            ledger: runtime.ledger,
            accounts: accounts,
            assets: mount.assets,
            book: book,
            journal: journal
        )
        let handler = TransferEventHandler(
            schema: name,
            arrivals: TransferArrivals(
                schema: name,
                ledger: runtime.ledger,
                accounts: accounts,
                transfers: transfers,
                assets: mount.assets,
                book: book,
                journal: journal
            ),
            answers: TransferAnswers(
                ledger: runtime.ledger,
                accounts: accounts,
                transfers: transfers,
                book: book,
                journal: journal
            )
        )
        let others = mount.others.map(\.name)
        held = HeldTransfers(
            schema: name,
            ledger: runtime.ledger,
            accounts: accounts,
            transfers: transfers,
            book: book,
            journal: journal,
            mayWrite: mayWrite,
            logger: logger
        )
        routes =
            TransferRoutes(domain: name, others: others, sending: sending, transfers: transfers, cursors: cursors)
            .routes
        services = [TransitWatch(domain: name, others: others, transfers: transfers, logger: logger), held]
        inboxHandlers = Dictionary(others.map { ($0, handler) }, uniquingKeysWith: { first, _ in first })
        (schema, self.transfers) = (runtime.schema, transfers)
    }

    /// What a domain must hear of the others, for `Domain.subscriptions`.
    public static func subscriptions(from others: [Schema]) -> [Schema: Set<String>] {
        Dictionary(others.map { ($0, TransferMessage.types(of: $0.name)) }, uniquingKeysWith: { $0.union($1) })
    }

    /// Goes on with what waited for a person, as the services do every few seconds; how many don't wait any more.
    @discardableResult
    public func lookAtHeld() async throws -> Int { try await held.round() }

    /// What stands on the in-transit accounts, by other domain and asset code, in minor units.
    public func inTransitBalances() async throws -> [String: [String: Int128]] {
        try await transfers.inTransitBalances()
    }

    /// Seconds since the oldest transfer left that no answer has come to, by the domain that it goes to.
    public func oldestInTransitSeconds() async throws -> [String: Double] { try await transfers.oldestInTransit() }

    /// The transfers as projections want them, in the order of their ids, after one of them; at most `limit`.
    ///
    /// The balances that events carry are left out.
    public func export(
        after id: UInt128,
        limit: Int
    ) async throws -> [(id: UInt128, version: Int64, at: Timestamp, payload: JSON)] {
        try await transfers.page(after: id, limit: limit)
            .map { ($0.id.value, $0.version, $0.updatedAt, $0.projected(balances: [])) }
    }
}

public import Kernel
public import PostgreSQL
import Synchronization

/// Who has an account and for what: one ledger account per owner, kind and asset.
public struct AccountKey: Hashable, Sendable {
    /// The owner of the house's own accounts.
    public static let house: UInt128 = 0

    /// The customer's id, or `house`.
    public let owner: UInt128
    /// What it is: `checking`, `fee_income:platform`.
    public let kind: String
    /// The asset.
    public let asset: Asset

    /// Nil for an asset that the program doesn't know.
    fileprivate init?(_ row: Row) throws {
        guard let asset = Asset(code: try row["asset"]) else { return nil }
        (owner, kind, self.asset) = (try row["owner"], try row["kind"], asset)
    }

    /// A customer's account.
    public init(_ owner: ID<User>, _ kind: String, _ asset: Asset) {
        (self.owner, self.kind, self.asset) = (owner.value, kind, asset)
    }

    /// An account of the house.
    public init(house kind: String, _ asset: Asset) {
        (self.owner, self.kind, self.asset) = (AccountKey.house, kind, asset)
    }
}

extension AccountKey: Comparable {
    /// By owner, kind and asset.
    public static func < (left: AccountKey, right: AccountKey) -> Bool {
        (left.owner, left.kind, left.asset.code) < (right.owner, right.kind, right.asset.code)
    }
}

/// What an account holds, as of an instant.
public struct Balance: Sendable, Hashable {
    /// The account.
    public let account: ID<LedgerAccount>
    /// What it is.
    public let kind: String
    /// All of it.
    public let total: Money
    /// What active reservations hold whose time isn't over, swept or not.
    public let reserved: Money
    /// Why outgoing money is stopped; nil when it isn't.
    public let frozenBecause: String?

    /// What may be spent.
    public var available: Money { total - reserved }
}

/// Opens accounts, finds them by who has them for what, and reads balances.
public final class LedgerAccounts: Sendable {
    /// Accounts whose ids are remembered; they never change.
    ///
    /// Beyond it the memory is emptied.
    private static let rememberedMax = 200_000

    private let schema: Schema
    private let pool: Pool
    private let ids: IDGenerator
    private let remembered = Mutex<[AccountKey: ID<LedgerAccount>]>([:])

    /// The accounts of a schema's ledger.
    public init(schema: Schema, pool: Pool, ids: IDGenerator) {
        (self.schema, self.pool, self.ids) = (schema, pool, ids)
    }

    /// The id of an account, opened if it isn't yet.
    ///
    /// Idempotent.
    public func open(_ key: AccountKey, mayGoNegative: Bool = false) async throws -> ID<LedgerAccount> {
        guard let id = try await open([key], mayGoNegative: mayGoNegative)[key] else {
            throw LedgerFault.accountVanished(key)
        }
        return id
    }

    /// The ids of accounts, opened where they aren't yet; in three statements at most, however many there are.
    ///
    /// Idempotent.
    public func open(
        _ keys: [AccountKey],
        mayGoNegative: Bool = false
    ) async throws -> [AccountKey: ID<LedgerAccount>] {
        let known = try await find(keys)
        let missing = Set(keys.filter { known[$0] == nil }).sorted()
        guard !missing.isEmpty else { return known }
        // `do nothing` leaves an account that another process opened meanwhile, which the second look finds. All open
        // them in one order, so that nobody waits for somebody who waits for them.
        _ = try await pool.query(
            """
            insert into \(schema).ledger_accounts (id, owner, kind, asset, may_go_negative)
            select n.*, \(mayGoNegative)
            from unnest(\(missing.map { _ in ids.next(LedgerAccount.self) }), \(missing.map(\.owner)),
                \(missing.map(\.kind)), \(missing.map(\.asset.code))) as n(id, owner, kind, asset)
            on conflict (owner, kind, asset) do nothing
            """
        )
        let opened = try await find(missing)
        if let vanished = missing.first(where: { opened[$0] == nil }) { throw LedgerFault.accountVanished(vanished) }
        return known.merging(opened) { $1 }
    }

    /// The ids of those accounts that exist.
    public func find(_ keys: [AccountKey]) async throws -> [AccountKey: ID<LedgerAccount>] {
        var found = remembered.withLock { remembered in
            keys.reduce(into: [AccountKey: ID<LedgerAccount>]()) { $0[$1] = remembered[$1] }
        }
        let missing = keys.filter { found[$0] == nil }
        guard !missing.isEmpty else { return found }
        for row in try await rows("a.id", of: missing) {
            if let key = try AccountKey(row) { found[key] = try row["id"] }
        }
        let new = found
        remembered.withLock { remembered in
            if remembered.count + new.count > LedgerAccounts.rememberedMax { remembered = [:] }
            remembered.merge(new) { $1 }
        }
        return found
    }

    /// All that accounts hold, in minor units; nothing of those that don't exist.
    public func totals(of keys: [AccountKey]) async throws -> [AccountKey: Int128] {
        var totals: [AccountKey: Int128] = [:]
        for row in try await rows("a.posted", of: keys) {
            if let key = try AccountKey(row) { totals[key] = try row["posted"] }
        }
        return totals
    }

    private func rows(_ column: SQL, of keys: [AccountKey]) async throws -> Rows {
        try await pool.query(
            """
            select \(column), a.owner, a.kind, a.asset
            from unnest(\(keys.map(\.owner)), \(keys.map(\.kind)), \(keys.map(\.asset.code))) as k(owner, kind, asset)
            join \(schema).ledger_accounts a on a.owner = k.owner and a.kind = k.kind and a.asset = k.asset
            """
        )
    }

    /// The balances of an owner, by kind and asset; reservations whose time is over don't count as reserved.
    public func balances(of owner: UInt128) async throws -> [Balance] {
        let rows = try await pool.query(
            """
            select a.id, a.kind, a.asset, a.posted, a.frozen_because,
                a.reserved - coalesce((
                    select sum(r.amount - r.captured) from \(schema).reservations r
                    where r.account = a.id and r.state = 'active' and r.expires_at <= (select clock_timestamp())), 0)
                        as reserved
            from \(schema).ledger_accounts a where a.owner = \(owner) order by a.kind, a.asset
            """
        )
        return try rows.map { row in
            guard let asset = Asset(code: try row["asset"]) else { throw LedgerFault.unknownAsset(try row["asset"]) }
            return Balance(
                account: try row["id"],
                kind: try row["kind"],
                total: Money(minorUnits: try row["posted"], asset),
                reserved: Money(minorUnits: try row["reserved"], asset),
                frozenBecause: try row["frozen_because"]
            )
        }
    }
}

/// Something that can't be in a sound ledger.
public enum LedgerFault: Error, Sendable {
    /// An account that had just been opened isn't there.
    case accountVanished(AccountKey)
    /// A row has an asset that the program doesn't know.
    case unknownAsset(String)
    /// The accounts of one batch hold more reservations whose time is over than it can end; the sweeper is far behind.
    case tooManyDueReservations
}

import Audit
import DomainKit
import HTTP
import Kernel
import PostgreSQL
import Synchronization

/// Opens and finds trading accounts.
final class TradingAccounts: Sendable {
    /// Accounts that are remembered; beyond it the memory is emptied.
    private static let rememberedMax = 100_000
    /// How old what is remembered of an account may be: another process may have changed it.
    private static let ageMaxSeconds = 5.0

    private let schema: Schema
    private let pool: Pool
    private let ids: IDGenerator
    private let clock: any WallClock
    private let remembered = Mutex<[Key: (account: TradingAccount, at: Timestamp)]>([:])

    private struct Key: Hashable {
        let user: ID<User>
        let kind: TradingAccount.Kind
    }

    init(schema: Schema, pool: Pool, ids: IDGenerator, clock: any WallClock) {
        (self.schema, self.pool, self.ids, self.clock) = (schema, pool, ids, clock)
    }

    /// A user's account of a kind, as it was at most some seconds ago; a brokerage account is opened if there is none
    /// yet.
    ///
    /// Whether it takes orders is for the writer to say, who knows.
    ///
    /// - Throws: 404 `account_not_found` for another kind that isn't open.
    func account(of user: ID<User>, _ kind: TradingAccount.Kind = .brokerage) async throws -> TradingAccount {
        let (key, now) = (Key(user: user, kind: kind), clock.now())
        if let known = remembered.withLock({ $0[key] }), now.secondsSince(known.at) < TradingAccounts.ageMaxSeconds {
            return known.account
        }
        return try await present(of: user, kind)
    }

    /// The same as it is now.
    ///
    /// - Throws: as `account(of:_:)`.
    func present(of user: ID<User>, _ kind: TradingAccount.Kind = .brokerage) async throws -> TradingAccount {
        let (key, now) = (Key(user: user, kind: kind), clock.now())
        var found = try await find(user, kind)
        if found == nil, kind == .brokerage {
            try await open(user, kind)
            found = try await find(user, kind)
        }
        guard let found else {
            throw Problem(404, "account_not_found", "There is no \(kind.rawValue) account. Open it first.")
        }
        remembered.withLock { remembered in
            if remembered.count >= TradingAccounts.rememberedMax { remembered = [:] }
            remembered[key] = (found, now)
        }
        return found
    }

    /// A user's brokerage account, if it is in memory, for what never changes of it.
    func known(of user: ID<User>) -> TradingAccount? {
        remembered.withLock { $0[Key(user: user, kind: .brokerage)]?.account }
    }

    /// An account of a user.
    ///
    /// - Throws: 404.
    func get(_ id: ID<TradingAccount>, of user: ID<User>) async throws -> TradingAccount {
        guard let found = try await all(of: user).first(where: { $0.id == id }) else { throw Problem.notFound }
        return found
    }

    /// Opens an account.
    ///
    /// Idempotent: one that is there stays as it is.
    func open(
        _ user: ID<User>,
        _ kind: TradingAccount.Kind,
        riskTolerance: String = TradingAccount.toleranceDefault
    ) async throws {
        let (id, now) = (ids.next(TradingAccount.self), clock.now())
        _ = try await pool.query(
            """
            insert into \(schema).accounts (id, user_id, type, ledger_kind, risk_tolerance, created_at, updated_at)
            values (\(id), \(user), \(kind.rawValue), \(kind.ledgerKind), \(riskTolerance), \(now), \(now))
            on conflict (user_id, type) where parent is null do nothing
            """
        )
    }

    /// All accounts of a user without those of portfolios, oldest first.
    func all(of user: ID<User>) async throws -> [TradingAccount] {
        let rows = try await pool.query(
            """
            select \(TradingAccount.columns(in: schema)) from \(schema).accounts a
            where a.user_id = \(user) and a.parent is null order by a.id
            """
        )
        return try rows.map(TradingAccount.read)
    }

    /// An account of a user, a portfolio's too; nil for anybody else's.
    func find(_ id: ID<TradingAccount>, of user: ID<User>) async throws -> TradingAccount? {
        let rows = try await pool.query(
            """
            select \(TradingAccount.columns(in: schema)) from \(schema).accounts a
            where a.id = \(id) and a.user_id = \(user)
            """
        )
        return try rows.first.map(TradingAccount.read)
    }

    /// Gives an account another risk tolerance.
    ///
    /// - Throws: 412 `version_mismatch` if it has changed meanwhile.
    func change(
        _ account: TradingAccount,
        riskTolerance: String,
        by initiator: Initiator
    ) async throws -> TradingAccount {
        let entry = AuditEntry(
            id: ids.next(),
            actor: initiator.actor,
            action: "trading_account.change",
            entity: "trading_account",
            entityID: account.id.value,
            before: ["risk_tolerance": .string(account.riskTolerance)],
            after: ["risk_tolerance": .string(riskTolerance)],
            ip: initiator.ip,
            userAgent: initiator.userAgent,
            session: initiator.session,
            correlation: initiator.correlation
        )
        let rows: [any StoredRow] = [RiskToleranceRow(account: account, tolerance: riskTolerance), entry]
        do {
            try await pool.transact { _ in Closing((), last: rows.statements(in: schema, at: clock.now())) }
        } catch let error as PostgresError where error.isStale {
            throw Problem(
                412,
                "version_mismatch",
                "The account has changed since you read it. Read it again and retry."
            )
        }
        forget(account.user)
        return try await get(account.id, of: account.user)
    }

    /// Forgets what is remembered of a user, after a change.
    func forget(_ user: ID<User>) {
        remembered.withLock { remembered in
            for kind in TradingAccount.Kind.allCases { remembered[Key(user: user, kind: kind)] = nil }
        }
    }

    private func find(_ user: ID<User>, _ kind: TradingAccount.Kind) async throws -> TradingAccount? {
        let rows = try await pool.query(
            """
            select \(TradingAccount.columns(in: schema)) from \(schema).accounts a
            where a.user_id = \(user) and a.type = \(kind.rawValue) and a.parent is null
            """
        )
        return try rows.first.map(TradingAccount.read)
    }
}

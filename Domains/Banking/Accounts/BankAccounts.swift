import HTTP
import Kernel
import PostgreSQL
import Synchronization

/// The accounts of customers: two of ours each, made when first asked for, and the linked ones elsewhere.
struct BankAccounts: Sendable {
    /// Accounts of one customer, closed ones included.
    static let accountsMax = 50

    let schema: Schema
    let pool: Pool
    let ids: IDGenerator
    let clock: any WallClock

    /// A user's accounts in the order of their making, ours first.
    func list(of user: ID<User>) async throws -> [BankAccount] {
        try await openOwn(user)
        return try await pool.query(
            """
            select \(BankAccount.columns) from \(schema).accounts where user_id = \(user)
            order by type not in ('checking', 'savings'), id limit \(BankAccounts.accountsMax)
            """
        ).map(BankAccount.init)
    }

    /// A user's account.
    ///
    /// - Throws: 404 for somebody else's, as for none.
    func get(_ id: ID<BankAccount>, of user: ID<User>) async throws -> BankAccount {
        let rows = try await pool.query(
            "select \(BankAccount.columns) from \(schema).accounts where id = \(id) and user_id = \(user)"
        )
        guard let row = rows.first else { throw Problem.notFound }
        return try BankAccount(row)
    }

    /// An account, whosever it is, for operators.
    ///
    /// - Throws: 404.
    func get(_ id: ID<BankAccount>) async throws -> BankAccount {
        let rows = try await pool.query("select \(BankAccount.columns) from \(schema).accounts where id = \(id)")
        guard let row = rows.first else { throw Problem.notFound }
        return try BankAccount(row)
    }

    /// Why a movement that names a linked account wasn't stored, where its row wasn't as expected.
    ///
    /// - Throws: 422 `account_closed` or `account_frozen` where that happened meanwhile, else 409 `conflict`.
    func refuseStale(_ id: ID<BankAccount>, of user: ID<User>) async throws -> Never {
        try await get(id, of: user).requireUsable()
        throw Problem(409, "conflict", "The account has changed meanwhile. Read it again and retry.")
    }

    /// Links a card or bank account elsewhere, named by a provider's token; it counts as verified in the sandbox only.
    ///
    /// - Throws: 422 `too_many_accounts`.
    func link(
        _ kind: BankAccount.Kind,
        label: String,
        token: String,
        lastDigits: String,
        verification: BankAccount.Verification,
        for user: ID<User>
    ) async throws -> BankAccount {
        let now = clock.now()
        let instrument: JSON = ["token": .string(token), "last_digits": .string(lastDigits)]
        let rows = try await pool.query(
            """
            insert into \(schema).accounts (id, user_id, type, label, verification, instrument, created_at, updated_at)
            select \(ids.next(BankAccount.self)), \(user), \(kind), \(label), \(verification), \(instrument), \(now),
                \(now)
            where (select count(*) from \(schema).accounts where user_id = \(user)) < \(BankAccounts.accountsMax)
            returning \(BankAccount.columns)
            """
        )
        guard let row = rows.first else {
            throw Problem(
                422,
                "too_many_accounts",
                "A customer can have \(BankAccounts.accountsMax) accounts. Close one first."
            )
        }
        return try BankAccount(row)
    }

    private func openOwn(_ user: ID<User>) async throws {
        let now = clock.now()
        _ = try await pool.query(
            """
            insert into \(schema).accounts (id, user_id, type, label, verification, created_at, updated_at)
            values (\(ids.next(BankAccount.self)), \(user), 'checking', 'Checking', 'verified', \(now), \(now)),
                (\(ids.next(BankAccount.self)), \(user), 'savings', 'Savings', 'verified', \(now), \(now))
            on conflict (user_id, type) where type in ('checking', 'savings') do nothing
            """
        )
    }
}

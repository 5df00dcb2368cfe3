import Compliance
import DomainKit
import HTTP
import Kernel
import Messaging
import PostgreSQL
import WalletCrypto

/// The addresses that customers pay to, of which a new one is locked for a day, by the database's clock, so that who
/// has got into an account can't empty it at once.
struct AddressBook: Sendable {
    /// Entries of one customer that aren't removed.
    static let entriesMax = 200
    /// The lock of a new address: 24 hours.
    static let lockSecondsDefault: Int64 = 86_400

    let runtime: DomainRuntime
    let ids: IDGenerator
    let wallets: Wallets
    let screening: any AddressScreening
    var lockSeconds: Int64 = AddressBook.lockSecondsDefault

    private var schema: Schema { runtime.schema }
    private var journal: WalletJournal { WalletJournal(schema: schema, ids: ids) }

    /// A customer's entries, oldest first.
    func list(of user: ID<User>) async throws -> [AddressEntry] {
        try await read(
            "where b.user_id = \(user) and b.removed_at is null order by b.id limit \(AddressBook.entriesMax)"
        )
    }

    /// A customer's entry, also a removed one.
    ///
    /// - Throws: 404.
    func get(_ id: ID<AddressEntry>, of user: ID<User>) async throws -> AddressEntry {
        guard let entry = try await read("where b.id = \(id) and b.user_id = \(user)").first else {
            throw Problem.notFound
        }
        return entry
    }

    /// Adds an address, locked; `isDistinct` says that its user knows that it looks like another one.
    ///
    /// - Throws: 409 `address_exists`; 422 `address_blocked`, `address_look_alike` or `too_many_addresses`.
    func add(
        _ served: ServedAccount,
        label: String,
        isDistinct: Bool,
        for user: ID<User>,
        by initiator: Initiator
    ) async throws -> AddressEntry {
        let (id, account, network) = (ids.next(AddressEntry.self), served.account, served.network)
        let answer = try await screening.refuseBlocked(account, for: user, subject: id.value, .payout)
        let alike = try await list(of: user).filter { LookAlikes.resemble(account, $0.account) }
        if !isDistinct {
            if let twin = alike.first { throw AddressBook.lookAlike(twin.label, twin.account) }
            let own = try await wallets.list(of: user).first { LookAlikes.resemble(account, $0.account) }
            if let own { throw AddressBook.lookAlike(own.label, own.account) }
        }
        let insert: SQL = """
            insert into \(schema).address_book as b (id, user_id, chain, network, account, address, label,
                opens_at, screening, resembles, created_at, updated_at)
            select \(id), \(user), \(network.chain), \(network.kind), \(account.description), \(account.address),
                \(label), t.now + make_interval(secs => \(lockSeconds)::bigint), \(answer.json), \(alike.map(\.id)),
                t.now, t.now
            from (select clock_timestamp() as now) t
            where (select count(*) from \(schema).address_book where user_id = \(user) and removed_at is null)
                < \(AddressBook.entriesMax)
            returning \(AddressEntry.columns)
            """
        do {
            guard let entry = try await commit(insert, "added", by: initiator) else {
                throw Problem(
                    422,
                    "too_many_addresses",
                    "An address book has at most \(AddressBook.entriesMax) entries. Remove one that isn't used."
                )
            }
            return entry
        } catch let error as PostgresError where error.violates("address_book_of_user") {
            throw Problem(409, "address_exists", "This address is in your address book already.")
        }
    }

    /// Removes an entry; the same address added again is locked anew.
    ///
    /// Removing it twice is no fault.
    func remove(_ entry: AddressEntry, by initiator: Initiator) async throws {
        _ = try await commit(
            """
            update \(schema).address_book b
            set removed_at = t.now, version = b.version + 1, updated_at = t.now
            from (select clock_timestamp() as now) t
            where b.id = \(entry.id) and b.removed_at is null
            returning \(AddressEntry.columns)
            """,
            "removed",
            by: initiator
        )
    }

    /// Makes sure that a customer may be paid out to an address now: the one rule for whatever pays out.
    ///
    /// It is an entry whose lock is over and against which compliance holds nothing. An own proven wallet is no
    /// exception: its proof says who has the key, and not that whoever is in the account is its owner.
    ///
    /// - Returns: its entry.
    /// - Throws: 422 `address_not_in_book`, `address_locked`, `address_blocked` or `address_in_review`.
    func requirePayable(_ account: AccountID, for user: ID<User>) async throws -> AddressEntry {
        let found = try await read(
            "where b.user_id = \(user) and b.account = \(account.description) and b.removed_at is null"
        )
        guard let entry = found.first else {
            throw Problem(
                422,
                "address_not_in_book",
                "Add this address to your address book first.",
                faults: [Problem.Fault("/to", "address_not_in_book")]
            )
        }
        guard entry.status == .open else {
            throw Problem(
                422,
                "address_locked",
                "This address is new. Money goes there from \(entry.opensAt) on; remove it if you don't know it.",
                faults: [Problem.Fault("/to", "address_locked")]
            )
        }
        try await screening.requireApproved(account, for: user, subject: entry.id.value, .payout)
        return entry
    }

    /// The same for an account of Ethereum's form on a chain (CAIP-2).
    ///
    /// - Throws: 422 as above.
    func requirePayable(_ recipient: EthereumAddress, on chain: String, for user: ID<User>) async throws {
        guard let account = AccountID("\(chain):\(recipient)") else { throw Problem.malformed("bad_format", in: "/to") }
        _ = try await requirePayable(account, for: user)
    }

    /// The statement that puts a proven wallet's address into the book, locked like any other; one that is there keeps
    /// its lock.
    func opening(_ wallet: Wallet) -> SQL {
        """
        insert into \(schema).address_book as b (id, user_id, chain, network, account, address, label, wallet, opens_at,
            screening, created_at, updated_at)
        select \(ids.next(AddressEntry.self)), \(wallet.user), \(wallet.network.chain), \(wallet.network.kind),
            \(wallet.account.description), \(wallet.address), \(wallet.label), \(wallet.id),
            t.now + make_interval(secs => \(lockSeconds)::bigint), \(ComplianceAnswer(checks: []).json), t.now, t.now
        from (select clock_timestamp() as now) t
        on conflict (user_id, account) where removed_at is null do update
        set wallet = excluded.wallet, version = b.version + 1, updated_at = excluded.updated_at
        returning \(AddressEntry.columns)
        """
    }

    /// The statement that takes a revoked wallet's address out of the book.
    func closing(_ wallet: ID<Wallet>) -> SQL {
        """
        update \(schema).address_book b
        set removed_at = t.now, version = b.version + 1, updated_at = t.now
        from (select clock_timestamp() as now) t
        where b.wallet = \(wallet) and b.removed_at is null
        returning \(AddressEntry.columns)
        """
    }

    private static func lookAlike(_ label: String, _ account: AccountID) -> Problem {
        Problem(
            422,
            "address_look_alike",
            """
            This address looks like \(account.address) (\(label)) and is another one. Compare every character; if you \
            mean it, send `is_distinct`.
            """,
            faults: [Problem.Fault("/account", "look_alike")]
        )
    }

    private func commit(_ statement: SQL, _ action: String, by initiator: Initiator) async throws -> AddressEntry? {
        let entry = try await runtime.pool.transact { transaction in
            guard let entry = try await transaction.query(statement).first.map(AddressEntry.init) else {
                return Closing(nil as AddressEntry?)
            }
            let rows = journal.rows(action, entry, by: initiator)
            return Closing(entry, last: rows.statements(in: schema, at: entry.updatedAt))
        }
        if entry != nil { runtime.outboxSignal.raise() }
        return entry
    }

    private func read(_ rest: SQL) async throws -> [AddressEntry] {
        try await runtime.pool.query("select \(AddressEntry.columns) from \(schema).address_book b \(rest)")
            .map(AddressEntry.init)
    }
}

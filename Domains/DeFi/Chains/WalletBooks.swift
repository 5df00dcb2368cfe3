import DomainKit
import Kernel
import Ledger
import Messaging
import PostgreSQL

/// The wallets that are followed on a chain, and what the books say of proven ones.
struct WalletBooks: Sendable {
    /// Wallets that are read in one block at most; the rest have their turn in the next ones.
    static let readMax = 200

    /// A wallet that is to be read.
    struct Due: Sendable {
        let id: ID<Wallet>
        let user: ID<User>
        let address: String
        /// It is revoked: what it has is nothing to us any more.
        let isOver: Bool
        /// Its user has proven another one on the chain, which has been read: the books say what that one has.
        let isSucceeded: Bool
        /// Somebody has proven its account, it or another one with the same.
        let isAccountFollowed: Bool
        /// How often it couldn't be read.
        let attempts: Int
    }

    /// The longest wait until what couldn't be read is read again.
    static let delaySecondsMax = 300.0

    let schema: Schema
    let pool: Pool
    let accounts: LedgerAccounts
    let ids: IDGenerator
    /// CAIP-2.
    let chain: String
    let holds: IntentHolds
    private let readMax: Int

    var unclear: UnclearTransactions { UnclearTransactions(schema: schema, pool: pool, chain: chain) }

    init(_ runtime: DomainRuntime, ids: IDGenerator, chain: String, readMax: Int = WalletBooks.readMax) {
        (schema, pool, accounts) = (runtime.schema, runtime.pool, runtime.accounts)
        (self.ids, self.chain, self.readMax) = (ids, chain, readMax)
        holds = IntentHolds(runtime, ids: ids, chain: chain)
    }

    /// The customer's account for what their proven wallet on a chain has.
    static func account(_ user: ID<User>, _ chain: String, _ asset: Asset) -> AccountKey {
        AccountKey(user, "wallet:\(chain)", asset)
    }

    /// The wallets at some of these addresses, a whole account by each of its own.
    func followed(_ addresses: [String]) async throws -> [String: [ID<Wallet>]] {
        guard !addresses.isEmpty else { return [:] }
        let accounts = addresses.map { "\(chain):\($0)" }
        let rows = try await pool.query(
            """
            select id, address from \(schema).wallets
            where account = any(\(accounts)) and status <> 'revoked' and extended_key is null
            union all
            select w.id, substr(a.account, length(\(chain)) + 2) from \(schema).wallet_addresses a
            join \(schema).wallets w on w.id = a.wallet and w.status <> 'revoked'
            where a.account = any(\(accounts))
            """
        )
        var found: [String: [ID<Wallet>]] = [:]
        for row in rows {
            let (id, address): (ID<Wallet>, String) = (try row["id"], try row["address"])
            found[address, default: []].append(id)
        }
        return found
    }

    /// Proven wallets that are to be read: those touched, those that are due, and those that never were; those whose
    /// last reading is the oldest first.
    ///
    /// What is touched and not among them has to be stored as due (`WalletsDueRow`).
    func due(_ touched: [ID<Wallet>]) async throws -> [Due] {
        try await due(
            """
            select id from \(schema).wallets where id = any(\(touched)) and status = 'verified'
            union
            select wallet from \(schema).wallet_reads where chain = \(chain) and is_due
            union
            (select v.id from \(schema).wallets v
            left join \(schema).wallet_reads r on r.wallet = v.id
            where v.status = 'verified' and not v.is_read and v.account like \(chain + ":%") and r.wallet is null
            order by v.id limit \(readMax))
            """,
            limit: readMax
        )
    }

    /// Of those touched, the proven ones that were read before and aren't to be read anew.
    func known(_ touched: [ID<Wallet>]) async throws -> [Due] {
        guard !touched.isEmpty else { return [] }
        return try await due(
            """
            select v.id from \(schema).wallets v
            join \(schema).wallet_reads r on r.wallet = v.id and not r.is_due
            where v.id = any(\(touched)) and v.status = 'verified'
            """,
            limit: touched.count
        )
    }

    /// Those of the due ones that are read together: all of them, or half of those that couldn't be read so often
    /// together, so that what is wrong with one holds up the others less and less.
    static func turn(of due: [Due]) -> [Due] {
        guard let attempts = due.first?.attempts else { return [] }
        let equal = due.prefix { $0.attempts == attempts }
        return Array(attempts == 0 ? equal : equal.prefix(max(1, equal.count / 2)))
    }

    /// Has wallets that couldn't be read, as of a block, read again later.
    func postpone(_ due: [Due], at block: BlockReference) async throws {
        _ = try await pool.query(
            """
            insert into \(schema).wallet_reads as r (wallet, chain, number, hash, is_due, attempts, next_at)
            select wallet, \(chain), \(block.number), \(Bytes(block.hash)), true, 1,
                clock_timestamp() + interval '1 second'
            from unnest(\(due.map(\.id))) as wallet order by wallet
            on conflict (wallet) do update
            set is_due = true, attempts = r.attempts + 1, next_at = clock_timestamp() + make_interval(
                secs => least(\(WalletBooks.delaySecondsMax), 2 ^ least(r.attempts, 12)))
            """
        )
    }

    private func due(_ ids: SQL, limit: Int) async throws -> [Due] {
        try await pool.query(
            """
            select w.id, w.user_id, w.address, w.status = 'revoked' as is_over, coalesce(r.attempts, 0) as attempts,
                exists (
                    select 1 from \(schema).wallets v
                    join \(schema).wallet_reads o on o.wallet = v.id and o.chain = \(chain) and not o.is_due
                    where v.user_id = w.user_id and v.status = 'verified' and v.id <> w.id) as is_succeeded,
                exists (
                    select 1 from \(schema).wallets v
                    where v.account = w.account and v.status = 'verified') as is_account_followed
            from (\(ids)) n join \(schema).wallets w on w.id = n.id
            left join \(schema).wallet_reads r on r.wallet = w.id
            where r.next_at is null or r.next_at <= clock_timestamp()
            order by attempts, r.number nulls first, w.id limit \(limit)
            """
        ).map { row in
            Due(
                id: try row["id"],
                user: try row["user_id"],
                address: try row["address"],
                isOver: try row["is_over"],
                isSucceeded: try row["is_succeeded"],
                isAccountFollowed: try row["is_account_followed"],
                attempts: try row["attempts"]
            )
        }
    }

    /// What is to be posted so that the books say nothing of wallets that are revoked.
    ///
    /// A customer has one account on a chain: where another wallet of theirs is read in the same step, or was since,
    /// the account says what that one has.
    func endings(among due: [Due], of assets: [Asset]) async throws -> [LedgerItem] {
        var users = Set(due.filter { !$0.isOver }.map(\.user))
        var items: [LedgerItem] = []
        let over = due.filter { $0.isOver && !$0.isSucceeded && users.insert($0.user).inserted }
        let nothing = over.map { wallet in Reading(wallet: wallet, amounts: assets.map { ($0, 0) }) }
        let known = try await known(nothing)
        for reading in nothing {
            if let item = try await difference(reading, known, [], moved: []) { items.append(item) }
        }
        return items
    }

    /// What a wallet has, asset by asset, in minor units; nil for what the chain didn't say.
    struct Reading: Sendable {
        let wallet: Due
        let amounts: [(asset: Asset, amount: Int128?)]
    }

    /// What is to be posted so that the books say what the chain does; nothing is for what the chain didn't say.
    ///
    /// What intents held that a block has by then, as it is stored or among `moved`, ends with it; what they moved is
    /// what is posted. Nothing that is held keeps it from being posted. What is held of an asset that the chain didn't
    /// say is held until it does.
    func differences(_ readings: [Reading], moved: Set<ID<Intent>>) async throws -> [LedgerItem] {
        let open = try await holds.open(of: Set(readings.map(\.wallet.user)))
        let known = try await known(readings)
        var items: [LedgerItem] = []
        for reading in readings {
            let said = Set(reading.amounts.filter { $0.amount != nil }.map(\.asset))
            let held = (open[reading.wallet.user] ?? []).filter { said.contains($0.asset) }
            if let item = try await difference(reading, known, held, moved: moved) { items.append(item) }
        }
        return items
    }

    /// What the books say of what was read; accounts that something is to be posted to are opened, all at once.
    private func known(_ readings: [Reading]) async throws -> [AccountKey: Int128] {
        let read = readings.flatMap { reading in
            reading.amounts.map { (key: Self.account(reading.wallet.user, chain, $0.asset), amount: $0.amount) }
        }
        guard !read.isEmpty else { return [:] }
        let known = try await accounts.totals(of: read.map(\.key))
        _ = try await accounts.open(
            read.filter { $0.amount != nil && $0.amount != known[$0.key, default: 0] }.map(\.key)
        )
        return known
    }

    private func difference(
        _ reading: Reading,
        _ known: [AccountKey: Int128],
        _ held: [IntentHolds.Hold],
        moved: Set<ID<Intent>>
    ) async throws -> LedgerItem? {
        guard !reading.amounts.isEmpty else { return nil }
        let user = reading.wallet.user
        var commands = try await holds.past(held, moved: moved)
        var balances: [Asset: Int128] = [:]
        for (asset, amount) in reading.amounts {
            guard let now = amount else { continue }
            balances[asset] = now
            let account = Self.account(user, chain, asset)
            guard known[account, default: 0] != now else { continue }
            commands.append(
                .observe(
                    Observation(
                        id: ids.next(),
                        account: try await accounts.open(account),
                        other: try await accounts.open(AccountKey(house: IntentBooks.onChain, asset)),
                        balance: now,
                        code: "wallet_balance"
                    )
                )
            )
        }
        let more = try await holds.topping(held, moved: moved, upTo: balances)
        commands += more.commands
        return commands.isEmpty ? nil : item(reading.wallet, commands, more.rows)
    }

    private func item(_ wallet: Due, _ commands: [LedgerCommand], _ rows: [any StoredRow]) -> LedgerItem {
        let (event, aggregate): (ID<OutboxEvent>, ID<WalletReadRow>) = (ids.next(), ids.next())
        let told: [JSON.Member] = [
            .init("wallet", .string(wallet.id.wire)), .init("user", .string(wallet.user.wire)),
        ]
        return LedgerItem(operation: wallet.id.cast(), commands: commands) { decision, _ in
            guard case .success(let receipt) = decision else { return LedgerItem.Finish() }
            // Each reading is an aggregate of its own, with one event.
            let row = OutboxEvent(
                id: event,
                aggregateType: "wallet_reading",
                aggregate: aggregate,
                version: 1,
                type: "defi.wallet.read",
                payload: .object(told + [.init("balances", BalanceSnapshot.json(receipt))])
            )
            return LedgerItem.Finish(rows: rows + [row])
        }
    }
}

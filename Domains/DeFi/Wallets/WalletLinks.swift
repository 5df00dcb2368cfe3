import Compliance
import DomainKit
import HTTP
import Kernel
import Messaging
import PostgreSQL
import WalletCrypto

/// Adds, renames and revokes wallets.
struct WalletLinks: Sendable {
    let runtime: DomainRuntime
    let ids: IDGenerator
    let screening: any AddressScreening
    let book: AddressBook

    private var schema: Schema { runtime.schema }
    private var journal: WalletJournal { WalletJournal(schema: schema, ids: ids) }

    /// Has a wallet watched.
    ///
    /// - Throws: 409 `wallet_exists`, 422 `too_many_wallets` or `address_blocked`.
    func add(_ new: NewWallet, for user: ID<User>, by initiator: Initiator) async throws -> Wallet {
        let id: ID<Wallet> = ids.next()
        try await screening.refuseBlocked(new.account, for: user, subject: id.value, .wallet)
        let derivation = new.derivation
        let insert: SQL = """
            insert into \(schema).wallets as w (id, user_id, chain, network, account, address, type, label,
                extended_key, script, gap_limit, created_at, updated_at)
            select \(id), \(user), \(new.network.chain), \(new.network.kind), \(new.account.description),
                \(new.account.address), \(new.kind), \(new.label), \(derivation?.key.text), \(derivation?.script),
                \(derivation?.gapLimit)::integer, t.now, t.now
            from (select clock_timestamp() as now) t
            where (select count(*) from \(schema).wallets where user_id = \(user) and status <> 'revoked')
                < \(Wallets.liveMax)
            returning \(Wallet.columns)
            """
        let wallet: Wallet?
        do {
            let branches = derivation.map { AccountAddresses.branches(of: id, $0, on: new.network, in: schema) }
            wallet = try await commit(insert, "added", last: branches.map { [$0] } ?? [], by: initiator)
        } catch let error as PostgresError where error.violates("wallets_of_user") {
            throw Problem(409, "wallet_exists", "You have a wallet with this account already.")
        }
        guard let wallet else {
            throw Problem(
                422,
                "too_many_wallets",
                "A user can have \(Wallets.liveMax) wallets. Revoke one that isn't used any more."
            )
        }
        return wallet
    }

    /// Gives a wallet another label.
    ///
    /// - Throws: 409 `wallet_revoked`, 412 `version_mismatch`.
    func rename(_ wallet: Wallet, _ label: String, by initiator: Initiator) async throws -> Wallet {
        try requireLive(wallet)
        let update: SQL = """
            update \(schema).wallets w
            set label = \(label), version = w.version + 1, updated_at = clock_timestamp()
            where w.id = \(wallet.id) and w.version = \(wallet.version)
            returning \(Wallet.columns)
            """
        let before: JSON = ["label": .string(wallet.label)]
        return try present(try await commit(update, "renamed", before: before, by: initiator))
    }

    /// Ends a wallet: it is neither watched nor used any more, and nothing is paid out to it.
    ///
    /// - Throws: 409 `wallet_revoked`, 412 `version_mismatch`.
    func revoke(_ wallet: Wallet, because reason: String, by initiator: Initiator) async throws -> Wallet {
        try requireLive(wallet)
        let update: SQL = """
            update \(schema).wallets w
            set status = 'revoked', revoked_at = t.now, revoked_because = \(reason), version = w.version + 1,
                updated_at = t.now
            from (select clock_timestamp() as now) t
            where w.id = \(wallet.id) and w.version = \(wallet.version)
            returning \(Wallet.columns)
            """
        let before: JSON = ["status": .string(wallet.status.rawValue), "reason": .string(reason)]
        let closing = book.closing(wallet.id)
        return try present(
            try await commit(
                update,
                "revoked",
                before: before,
                closing: closing,
                last: ["update \(schema).wallet_reads set is_due = true where wallet = \(wallet.id)"],
                by: initiator
            )
        )
    }

    private func requireLive(_ wallet: Wallet) throws(Problem) {
        guard wallet.status != .revoked else {
            throw Problem(409, "wallet_revoked", "This wallet is revoked. Link its account anew if you need it.")
        }
    }

    private func present(_ wallet: Wallet?) throws(Problem) -> Wallet {
        guard let wallet else {
            throw Problem(412, "version_mismatch", "The wallet has changed since you read it. Read it again and retry.")
        }
        return wallet
    }

    /// Runs a statement that returns the changed wallet and stores what tells of it; nil when it changed none.
    private func commit(
        _ statement: SQL,
        _ action: String,
        before: JSON? = nil,
        closing: SQL? = nil,
        last: [SQL] = [],
        by initiator: Initiator
    ) async throws -> Wallet? {
        let wallet = try await runtime.pool.transact { transaction in
            guard let wallet = try await transaction.query(statement).first.map(Wallet.init) else {
                return Closing(nil as Wallet?)
            }
            var rows = journal.rows(action, wallet, before: before, by: initiator)
            if let closing {
                for row in try await transaction.query(closing) {
                    rows += journal.rows("removed", try AddressEntry(row), by: initiator)
                }
            }
            return Closing(wallet, last: last + rows.statements(in: schema, at: wallet.updatedAt))
        }
        if wallet != nil { runtime.outboxSignal.raise() }
        return wallet
    }
}

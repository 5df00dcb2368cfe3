import Audit
import DomainKit
import HTTP
import Kernel
import Ledger
import PostgreSQL

/// Ends accounts for their customers, and freezes them for operators.
///
/// An account of ours stands for a ledger account in each asset: what the ledger refuses is decided in the transaction
/// that would move the money.
struct AccountStatuses: Sendable {
    /// What the ledger accounts of a frozen account are frozen with, so that other freezes outlive its thawing.
    private static let freezing = "account frozen: "

    let runtime: DomainRuntime
    let ids: IDGenerator
    let accounts: BankAccounts
    let assets: BankAssets

    /// Closes an account that is empty and that nothing is under way for, for good.
    ///
    /// - Throws: 409 `status_not_possible`; 422 `account_not_empty` or `account_in_use`.
    func close(_ account: BankAccount, by initiator: Initiator) async throws -> BankAccount {
        guard account.status == .open else { throw AccountStatuses.impossible(account.status, .closed) }
        let commands = try await ledgerAccounts(of: account).map { LedgerCommand.close($0.id) }
        return try await change(account, to: .closed, because: "closed by the customer", commands, initiator)
    }

    /// Freezes an account, or lets it go again.
    ///
    /// - Throws: 409 `status_not_possible`; 409 `conflict` where something else has frozen it meanwhile.
    func decide(
        _ account: BankAccount,
        _ status: BankAccount.Status,
        because reason: String,
        by initiator: Initiator
    ) async throws -> BankAccount {
        switch (account.status, status) {
        case (.open, .frozen):
            let kept = AccountStatuses.freezing + reason
            // What is frozen for another reason stays frozen for that, whenever that came.
            let commands = try await ledgerAccounts(of: account).map {
                LedgerCommand.freeze($0.id, because: kept, given: .notOtherwise(than: AccountStatuses.freezing))
            }
            return try await change(account, to: .frozen, because: reason, commands, initiator)
        case (.frozen, .open):
            let commands = try await ledgerAccounts(of: account).compactMap { id, because -> LedgerCommand? in
                guard let because, because.hasPrefix(AccountStatuses.freezing) else { return nil }
                return .freeze(id, because: nil, given: .frozen(because: because))
            }
            return try await change(account, to: .open, because: reason, commands, initiator)
        default: throw AccountStatuses.impossible(account.status, status)
        }
    }

    /// The ledger accounts of an account of ours, one for each asset, with what they are frozen for; none of another.
    private func ledgerAccounts(
        of account: BankAccount
    ) async throws -> [(id: ID<LedgerAccount>, frozenBecause: String?)] {
        guard account.kind.isOurs else { return [] }
        var found: [ID<LedgerAccount>] = []
        for asset in try await assets.all() {
            found.append(try await runtime.accounts.open(AccountKey(account.user, account.kind.rawValue, asset)))
        }
        let balances = try await runtime.accounts.balances(of: account.user.value)
        return found.map { id in (id, balances.first { $0.account == id }?.frozenBecause) }
    }

    private func change(
        _ account: BankAccount,
        to status: BankAccount.Status,
        because reason: String,
        _ commands: [LedgerCommand],
        _ initiator: Initiator
    ) async throws -> BankAccount {
        let words = [BankAccount.Status.open: "unfrozen", .frozen: "frozen", .closed: "closed"]
        let done = Intervention(
            "account.\(words[status] ?? status.rawValue)",
            "account",
            account.id,
            because: reason,
            commands: commands
        )
        let rows: [any StoredRow] = [
            AccountStatusRow(account: account, status: status),
            StatusChange(
                id: ids.next(),
                entity: "account",
                entityID: account.id,
                version: account.version + 1,
                from: account.status.rawValue,
                to: status.rawValue,
                reason: reason
            ),
        ]
        let item = done.item(in: runtime.schema, by: initiator, ids: ids) { _ in rows }
        do {
            // Alone: what a batch would store beside it must be seen by its look for open transactions.
            if case .refused(let refusal, _) = try await runtime.ledger.submit(batch: [item])[0] {
                throw refusal.problem(in: .usd)
            }
        } catch let error as PostgresError where error.state == "D0409" {
            let present = try await accounts.get(account.id)
            guard present.version == account.version else {
                throw Problem(409, "conflict", "The account has changed meanwhile. Read it again and retry.")
            }
            throw Problem(422, "account_in_use", "Transactions of this account are under way. Wait until they end.")
        }
        return try await accounts.get(account.id)
    }

    private static func impossible(_ from: BankAccount.Status, _ to: BankAccount.Status) -> Problem {
        Problem(409, "status_not_possible", "An account that is \(from.rawValue) can't become \(to.rawValue).")
    }
}

/// An account's next status, on top of the version that it was decided for; one that something is under way for isn't
/// closed.
struct AccountStatusRow: StoredRow {
    let account: BankAccount
    let status: BankAccount.Status

    static func store(_ rows: [AccountStatusRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            // Waits for those who hold it open; what they stored is seen by the next statement only.
            "select 1 from \(schema).accounts where id = any(\(rows.map(\.account.id))) order by id for update",
            """
            update \(schema).accounts a
            set status = n.status, version = a.version + 1, updated_at = \(instant)
            from unnest(\(rows.map(\.account.id)), \(rows.map(\.account.version)), \(rows.map(\.status)))
                as n(id, version, status)
            where a.id = n.id and a.version = n.version and (n.status <> 'closed' or not exists (
                select from \(schema).transactions t
                where t.user_id = a.user_id and t.status not in ('completed', 'failed', 'refunded', 'returned')
                    and (t.linked_account = a.id or (a.instrument is null and t.account = a.type))))
            returning 1
            """,
        ]
    }
}

/// A linked account that must be open still when the movement commits that it is named in.
///
/// It has no ledger account that would say so: it is held until then, and closed or frozen after it only.
struct OpenAccountRow: StoredRow {
    let account: ID<BankAccount>

    static func store(_ rows: [OpenAccountRow], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            select 1 from unnest(\(rows.map(\.account))) as n(id)
            join \(schema).accounts a on a.id = n.id and a.status = 'open'
            order by a.id for share of a
            """
        ]
    }
}

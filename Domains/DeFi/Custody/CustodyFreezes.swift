import DomainKit
import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL

/// Stops what leaves a customer's custody while they owe what a reversed deposit had brought them.
///
/// All of their custody accounts are frozen in the transaction that takes the deposit back, and go free when nothing is
/// owed any more, which is looked at next. An account that is frozen for another reason stays so for that.
///
/// Each time that a deposit is taken back has a reason of its own, and what goes free goes free of the reason that was
/// read with what was owed: who watches another chain, and has seen nothing of the newest debt, frees nothing.
struct CustodyFreezes: Sendable {
    /// What the reason of these freezes begins with.
    static let words = "custody shortfall: "
    /// Customers that are read at once.
    static let pageMax = 100
    /// Pages of one step; those behind them have their turn once these are settled.
    static let pagesMax = 100
    /// Entries of one answer at most.
    static let listMax = 500

    let runtime: DomainRuntime
    /// All that is kept here, on whatever chain.
    let kept: [Asset]
    let ids: IDGenerator
    let logger: Logger

    private var schema: Schema { runtime.schema }

    /// What freezes a customer's accounts because of a deposit, as it was when the chain took it back.
    func freezing(_ user: ID<User>, because deposit: CustodyDeposit) async throws -> [LedgerCommand] {
        // It may come and be taken back again.
        let reason = "\(Self.words)\(deposit.id.wire) \(deposit.version)"
        var commands: [LedgerCommand] = []
        // Those that hold nothing yet, too: what comes later doesn't leave either.
        for asset in kept {
            let account = try await runtime.accounts.open(AccountKey(user, CustodyBooks.customer, asset))
            commands.append(.freeze(account, because: reason, given: .notOtherwise(than: Self.words)))
        }
        return commands
    }

    /// Pays what is owed from what has come since, and lets those go who owe nothing any more; what goes wrong with one
    /// customer is told, and holds up nobody else.
    ///
    /// - Throws: a `PostgresError` that is no customer's fault.
    func settle() async throws {
        var last: UInt128 = 0
        for _ in 0..<CustodyFreezes.pagesMax {
            let owners = try await changing(after: last)
            for owner in owners { try await settleApart(ID<User>(owner)) }
            guard owners.count == CustodyFreezes.pageMax, let end = owners.last else { return }
            last = end
        }
    }

    /// Customers behind one in the order of their ids who owe nothing any more, or have something to pay with.
    private func changing(after owner: UInt128) async throws -> [UInt128] {
        let owing: SQL = "o.owner = a.owner and o.kind = \(CustodyBooks.receivable) and o.posted < 0"
        return try await runtime.pool.query(
            """
            select distinct a.owner from \(schema).ledger_accounts a
            where a.frozen_because is not null and starts_with(a.frozen_because, \(CustodyFreezes.words))
                and a.owner > \(owner)
                and (not exists (select from \(schema).ledger_accounts o where \(owing))
                    or exists (
                        select from \(schema).ledger_accounts o
                        join \(schema).ledger_accounts p on p.owner = o.owner and p.asset = o.asset
                            and p.kind = \(CustodyBooks.customer) and p.posted > p.reserved
                        where \(owing)))
            order by a.owner limit \(CustodyFreezes.pageMax)
            """
        ).map { try $0["owner"] }
    }

    private func settleApart(_ user: ID<User>) async throws {
        do {
            try await settle(user)
        } catch let error as PostgresError where !error.isOfARow {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            Counter(label: "custody_freeze_faults_total").increment()
            logger.error(
                "what a shortfall stops can't be settled; it is tried again, and an operator must look",
                metadata: ["user": "\(user.wire)", "error": "\(error)"]
            )
        }
    }

    private func settle(_ user: ID<User>) async throws {
        let balances = try await runtime.accounts.balances(of: user.value)
        let owing = balances.filter { $0.kind == CustodyBooks.receivable && $0.total.minorUnits < 0 }
        guard !owing.isEmpty else {
            do {
                try await release(balances, of: user, because: "nothing is owed any more", by: "system:custody")
            } catch let problem as Problem where problem.code == "conflict" {
                // Something was taken back meanwhile: it is looked at again.
            }
            return
        }
        var commands: [LedgerCommand] = []
        for debt in owing {
            let source = balances.first { $0.kind == CustodyBooks.customer && $0.total.asset == debt.total.asset }
            guard let source, source.available.minorUnits > 0 else { continue }
            commands.append(
                .repay(NewRepayment(id: ids.next(), debit: source.account, receivable: debt.account))
            )
        }
        guard !commands.isEmpty else { return }
        let paid = Intervention("custody.repaid", "user", user, because: "available again", commands: commands)
        try await paid.apply(to: runtime, by: initiator("system:custody"), ids: ids, in: owing[0].total.asset)
    }

    /// Lets a customer's accounts go that a shortfall froze.
    ///
    /// - Throws: 404 where there is none; 409 `conflict` where one more came meanwhile.
    func release(_ user: ID<User>, because reason: String, by actor: String) async throws {
        let balances = try await runtime.accounts.balances(of: user.value)
        try await release(balances, of: user, because: reason, by: actor)
    }

    private func release(
        _ balances: [Balance],
        of user: ID<User>,
        because reason: String,
        by actor: String
    ) async throws {
        let frozen = balances.compactMap { balance -> (asset: Asset, thaw: LedgerCommand)? in
            guard let because = balance.frozenBecause, because.hasPrefix(Self.words) else { return nil }
            let thaw = LedgerCommand.freeze(balance.account, because: nil, given: .frozen(because: because))
            return (balance.total.asset, thaw)
        }
        guard let first = frozen.first else {
            throw Problem(404, "not_found", "No shortfall stops what leaves this customer's custody.")
        }
        let released = Intervention(
            "custody.released",
            "user",
            user,
            because: reason,
            commands: frozen.map(\.thaw)
        )
        try await released.apply(to: runtime, by: initiator(actor), ids: ids, in: first.asset)
        Counter(label: "custody_releases_total").increment()
        logger.notice("a customer's custody goes free", metadata: ["user": "\(user.wire)", "by": "\(actor)"])
    }

    private func initiator(_ actor: String) -> Initiator {
        Initiator(system: actor, correlation: ids.next(Intervention.self).value)
    }

    /// Whose custody is stopped, because of which deposit, and what they owe, an entry for each asset.
    func list(limit: Int) async throws -> [JSON] {
        try await runtime.pool.query(
            """
            select a.owner, a.asset, a.frozen_because, a.posted, a.reserved, coalesce(r.posted, 0) as owed
            from \(schema).ledger_accounts a
            left join \(schema).ledger_accounts r
                on r.owner = a.owner and r.asset = a.asset and r.kind = \(CustodyBooks.receivable)
            where a.frozen_because is not null and starts_with(a.frozen_because, \(CustodyFreezes.words))
            order by a.owner, a.asset limit \(min(max(limit, 1), CustodyFreezes.listMax))
            """
        ).map { row in
            let (owner, code, because): (UInt128, String, String) = (
                try row["owner"], try row["asset"], try row["frozen_because"]
            )
            let (posted, reserved, owed): (Int128, Int128, Int128) = (
                try row["posted"], try row["reserved"], try row["owed"]
            )
            guard let asset = Asset(code: code) else { throw LedgerFault.unknownAsset(code) }
            return [
                "user": .string(ID<User>(owner).wire), "asset": .string(code),
                "deposit": .string(String(because.dropFirst(CustodyFreezes.words.count).prefix { $0 != " " })),
                "owed": .string(Money(minorUnits: -owed, asset).wire),
                "held": .string(Money(minorUnits: posted, asset).wire),
                "reserved": .string(Money(minorUnits: reserved, asset).wire),
            ]
        }
    }
}

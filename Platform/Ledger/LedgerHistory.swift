public import Kernel
public import PostgreSQL

/// One leg of a transfer, seen from one account.
public struct LedgerEntry: Sendable, Hashable {
    /// The account.
    public let account: ID<LedgerAccount>
    /// Its place among the account's entries, from 1, without gaps.
    public let version: Int64
    /// Minor units, below zero for a debit; `balanceBefore + amount = balanceAfter`.
    public let amount: Int128
    /// Minor units.
    public let balanceBefore: Int128
    /// Minor units.
    public let balanceAfter: Int128
    /// The transfer.
    public let transfer: ID<Transfer>
    /// What the transfer belongs to.
    public let operation: ID<Operation>
    /// What it is.
    public let code: String
    /// The other leg's account.
    public let otherAccount: ID<LedgerAccount>
    /// The reservation that it captured or settled.
    public let reservation: ID<Reservation>?
    /// When, by the database's clock.
    public let recordedAt: Timestamp
}

/// The sum over all accounts of an asset, which is always zero.
public struct TrialBalance: Sendable, Hashable {
    /// The asset's code.
    public let asset: String
    /// Minor units of accounts above zero.
    public let credit: Int128
    /// Minor units of accounts below zero, as a number below zero.
    public let debit: Int128
    /// Minor units held by active reservations.
    public let reserved: Int128
    /// Zero.
    public var sum: Int128 { credit + debit }
}

/// What the journal tells: entries, balances of the past, sums.
public struct LedgerHistory: Sendable {
    /// Entries of one page at most.
    public static let pageMax = 200

    private let schema: Schema
    private let pool: Pool

    /// The history of a schema's ledger.
    public init(schema: Schema, pool: Pool) { (self.schema, self.pool) = (schema, pool) }

    /// Entries of an account, newest first, before a version; stable while new ones are added.
    public func entries(
        of account: ID<LedgerAccount>,
        before version: Int64 = .max,
        limit: Int = 50
    ) async throws -> [LedgerEntry] {
        let limit = min(limit, LedgerHistory.pageMax)
        // Each branch reads `limit` rows of one index from its end; the union over the view would sort the whole
        // account.
        let rows = try await pool.query(
            """
            select * from (
                (select \(debitLeg) from \(schema).ledger_transfers
                    where debit_account = \(account) and debit_version < \(version) order by debit_version desc limit
                        \(limit))
                union all
                (select \(creditLeg) from \(schema).ledger_transfers
                    where credit_account = \(account) and credit_version < \(version) order by credit_version desc
                        limit \(limit))
            ) entries order by version desc limit \(limit)
            """
        )
        return try rows.map(entry)
    }

    /// Both entries of each of those transfers, in the order of posting; an operation keeps the ids of its transfers.
    public func entries(of transfers: [ID<Transfer>]) async throws -> [LedgerEntry] {
        let rows = try await pool.query(
            """
            select * from (
                select \(debitLeg) from \(schema).ledger_transfers where id = any(\(transfers))
                union all
                select \(creditLeg) from \(schema).ledger_transfers where id = any(\(transfers))
            ) entries order by transfer, amount
            """
        )
        return try rows.map(entry)
    }

    /// What was posted on an account up to and including an instant of the database's clock, in minor units.
    public func posted(on account: ID<LedgerAccount>, asOf instant: Timestamp) async throws -> Int128 {
        let rows = try await pool.query(
            """
            select balance from (
                (select debit_version as version, debit_posted as balance from \(schema).ledger_transfers
                    where debit_account = \(account) and recorded_at <= \(instant) order by debit_version desc limit 1)
                union all
                (select credit_version, credit_posted from \(schema).ledger_transfers
                    where credit_account = \(account) and recorded_at <= \(instant) order by credit_version desc limit
                        1)
            ) last order by version desc limit 1
            """
        )
        return try rows.first?["balance"] ?? 0
    }

    /// The sums per asset over all accounts.
    public func trialBalance() async throws -> [TrialBalance] {
        let rows = try await pool.query(
            """
            select asset, coalesce(sum(posted) filter (where posted > 0), 0) as credit,
                coalesce(sum(posted) filter (where posted < 0), 0) as debit, sum(reserved) as reserved
            from \(schema).ledger_accounts group by asset order by asset
            """
        )
        return try rows.map { row in
            TrialBalance(
                asset: try row["asset"],
                credit: try row["credit"],
                debit: try row["debit"],
                reserved: try row["reserved"]
            )
        }
    }

    private var debitLeg: SQL {
        """
        debit_account as account, debit_version as version, -amount as amount, debit_posted + amount as balance_before,
        debit_posted as balance_after, id as transfer, operation, code, credit_account as other_account, reservation,
        recorded_at
        """
    }

    private var creditLeg: SQL {
        """
        credit_account as account, credit_version as version, amount, credit_posted - amount as balance_before,
        credit_posted as balance_after, id as transfer, operation, code, debit_account as other_account, reservation,
        recorded_at
        """
    }

    private func entry(_ row: Row) throws -> LedgerEntry {
        LedgerEntry(
            account: try row["account"],
            version: try row["version"],
            amount: try row["amount"],
            balanceBefore: try row["balance_before"],
            balanceAfter: try row["balance_after"],
            transfer: try row["transfer"],
            operation: try row["operation"],
            code: try row["code"],
            otherAccount: try row["other_account"],
            reservation: try row["reservation"],
            recordedAt: try row["recorded_at"]
        )
    }
}

public import PostgreSQL

/// Something about a stored ledger that doesn't add up.
public struct LedgerFinding: Sendable, Hashable {
    /// Which rule is broken: `zero_sum`, `balance`, `versions`, `chain`, `reserved`, `asset`, `captured`, `settled`,
    /// `reservation`, `reversal`.
    public let rule: String
    /// The account, transfer, reservation or asset at fault.
    public let subject: String
    /// What was found and what was expected.
    public let detail: String
}

/// Derives every balance and reservation anew from the journal and compares, while the ledger goes on working.
public struct LedgerVerifier: Sendable {
    /// Findings of one rule that are reported; more are only counted by their presence.
    public static let findingsMax = 100

    private let schema: Schema
    private let pool: Pool

    /// The checker of a schema's ledger.
    public init(schema: Schema, pool: Pool) { (self.schema, self.pool) = (schema, pool) }

    /// All findings; none means that the ledger is sound.
    ///
    /// Everything is read in one snapshot.
    ///
    /// A rule reads the whole journal; the pool's statement timeout bounds it, which is to be hours for a large ledger.
    public func verify() async throws -> [LedgerFinding] {
        try await pool.withTransaction(isolation: .repeatableRead) { transaction in
            var findings: [LedgerFinding] = []
            for (rule, statement) in rules {
                for row in try await transaction.query("\(statement) limit \(LedgerVerifier.findingsMax)") {
                    findings.append(
                        LedgerFinding(rule: rule, subject: try row["subject"], detail: try row["detail"])
                    )
                }
            }
            return findings
        }
    }

    private var rules: [(String, SQL)] {
        [
            ("zero_sum", zeroSum), ("balance", balances), ("versions", versions), ("chain", chain),
            ("reserved", reserved), ("asset", assets), ("captured", captured), ("settled", settled),
            ("reservation", reservations), ("reversal", reversals),
        ]
    }

    private var zeroSum: SQL {
        """
        select asset as subject, 'sum over all accounts is ' || sum(posted) || ', expected 0' as detail
        from \(schema).ledger_accounts group by asset having sum(posted) <> 0
        """
    }

    private var balances: SQL {
        """
        select a.id::text as subject,
            'posted is ' || a.posted || ', entries sum to ' || coalesce(e.sum, 0) as detail
        from \(schema).ledger_accounts a
        left join (select account, sum(amount) as sum from \(schema).ledger_entries group by account) e on e.account =
            a.id
        where a.posted <> coalesce(e.sum, 0)
        """
    }

    private var versions: SQL {
        """
        select a.id::text as subject,
            'version is ' || a.version || ', entries count ' || coalesce(e.count, 0) || ' up to ' || coalesce(e.max,
                0) as detail
        from \(schema).ledger_accounts a
        left join (
            select account, count(*) as count, count(distinct version) as distinct_count, max(version) as max
            from \(schema).ledger_entries group by account
        ) e on e.account = a.id
        where a.version <> coalesce(e.count, 0) or coalesce(e.count, 0) <> coalesce(e.max, 0)
            or coalesce(e.count, 0) <> coalesce(e.distinct_count, 0)
        """
    }

    // Each entry starts from the balance that the one before it left, and no account's time runs backwards.
    private var chain: SQL {
        """
        select account || ' version ' || version as subject,
            'balance before is ' || balance_before || ', the entry before left ' || coalesce(last, 0) as detail
        from (
            select account, version, balance_before, recorded_at,
                lag(balance_after) over w as last, lag(recorded_at) over w as last_at
            from \(schema).ledger_entries window w as (partition by account order by version)
        ) e
        where balance_before <> coalesce(last, 0) or recorded_at < last_at
        """
    }

    private var reserved: SQL {
        """
        select a.id::text as subject,
            'reserved is ' || a.reserved || ', active reservations hold ' || coalesce(r.sum, 0) as detail
        from \(schema).ledger_accounts a
        left join (
            select account, sum(amount - captured) as sum from \(schema).reservations where state = 'active' group by
                account
        ) r on r.account = a.id
        where a.reserved <> coalesce(r.sum, 0)
        """
    }

    private var assets: SQL {
        """
        select t.id::text as subject, 'debits ' || coalesce(d.asset, 'nothing') || ', credits ' || coalesce(c.asset,
            'nothing') as detail
        from \(schema).ledger_transfers t
        left join \(schema).ledger_accounts d on d.id = t.debit_account
        left join \(schema).ledger_accounts c on c.id = t.credit_account
        where d.asset is distinct from c.asset or d.asset is null
        """
    }

    // A reservation's captures are the transfers that name it, except those that settled it late.
    private var captured: SQL {
        """
        select r.id::text as subject,
            'captured is ' || r.captured || ', transfers that name it sum to ' || coalesce(t.sum, 0) as detail
        from \(schema).reservations r
        left join (
            select reservation, sum(amount) as sum from \(schema).ledger_transfers
            where reservation is not null group by reservation
        ) t on t.reservation = r.id
        where r.settled_by is null and r.captured <> coalesce(t.sum, 0)
        """
    }

    // A late settlement names a transfer which in turn names the reservation.
    private var settled: SQL {
        """
        select r.id::text as subject, 'settled by ' || r.settled_by || ', which is no transfer that names it' as detail
        from \(schema).reservations r
        left join \(schema).ledger_transfers t on t.id = r.settled_by
        where r.settled_by is not null and t.reservation is distinct from r.id
        """
    }

    private var reservations: SQL {
        """
        select t.id::text as subject, 'names reservation ' || t.reservation ||
            ', which holds nothing of its debited account'
                as detail
        from \(schema).ledger_transfers t
        left join \(schema).reservations r on r.id = t.reservation
        where t.reservation is not null and r.account is distinct from t.debit_account
        """
    }

    private var reversals: SQL {
        """
        select v.transfer::text as subject, 'is no mirror of transfer ' || v.reversal_of as detail
        from \(schema).reversals v
        left join \(schema).ledger_transfers o on o.id = v.reversal_of
        left join \(schema).ledger_transfers t on t.id = v.transfer
        where t.debit_account is distinct from o.credit_account or t.credit_account is distinct from o.debit_account
            or t.amount is distinct from o.amount or t.id is null
        """
    }
}

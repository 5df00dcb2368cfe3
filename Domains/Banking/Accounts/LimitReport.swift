import HTTP
import Kernel
import Ledger
import PostgreSQL

/// The limits of an account for one operation in one asset, and what is used of them.
struct LimitReport: Sendable {
    let operation: BankTransaction.Kind
    let limits: AccountLimits
    let usedToday: Int128
    let usedThisMonth: Int128
    /// Whether an operator gave the account limits of its own.
    let isOwn: Bool
    let asset: Asset

    var json: JSON {
        func wire(_ minorUnits: Int128) -> JSON { .string(Money(minorUnits: minorUnits, asset).wire) }
        return [
            "operation": .string(operation.rawValue), "asset": .string(asset.code),
            "per_transaction": wire(limits.perTransaction), "per_day": wire(limits.perDay),
            "per_month": wire(limits.perMonth), "used_today": wire(usedToday),
            "used_this_month": wire(usedThisMonth), "is_own": .bool(isOwn),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("operation", .oneOf(BankTransaction.Kind.self)),
            .required("asset", .asset),
            .required("per_transaction", .amount, "The most at once."),
            .required("per_day", .amount, "The most of a calendar day in UTC."),
            .required("per_month", .amount, "The most of a calendar month in UTC."),
            .required("used_today", .anyString, "What counts today so far."),
            .required("used_this_month", .anyString, "What counts this month so far."),
            .required("is_own", .bool, "Whether the account has this limit of its own."),
        ],
        named: "AccountLimit"
    )
}

/// Reads limits together with their use.
struct LimitReports: Sendable {
    let schema: Schema
    let pool: Pool

    /// The limits of a user's account of a kind, in the order of operation and asset.
    func of(_ user: ID<User>, _ kind: BankAccount.Kind) async throws -> [LimitReport] {
        let rows = try await pool.query(
            """
            select l.operation, l.asset, o.account is not null as is_own,
                coalesce(o.per_transaction, l.per_transaction) as per_transaction,
                coalesce(o.per_day, l.per_day) as per_day, coalesce(o.per_month, l.per_month) as per_month,
                coalesce(d.used, 0) as used_today, coalesce(m.used, 0) as used_this_month
            from \(schema).limits l
            cross join (select (clock_timestamp() at time zone 'UTC')::date as today) t
            left join \(schema).ledger_accounts a
                on a.owner = \(user) and a.asset = l.asset
                    and a.kind = case when l.operation in ('purchase', 'sale') then 'own_wallet' else \(kind) end
            left join \(schema).account_limits o on o.account = a.id and o.counter = l.operation
            left join \(schema).account_usage d
                on d.account = a.id and d.counter = l.operation and d.span = 'day' and d.starts = t.today
            left join \(schema).account_usage m
                on m.account = a.id and m.counter = l.operation and m.span = 'month'
                    and m.starts = date_trunc('month', t.today)::date
            order by l.operation, l.asset
            """
        )
        return try rows.compactMap { row in
            let limits = AccountLimits(
                perTransaction: try row["per_transaction"],
                perDay: try row["per_day"],
                perMonth: try row["per_month"]
            )
            guard let asset = Asset(code: try row["asset"]), let limits else { return nil }
            return LimitReport(
                operation: try row["operation"],
                limits: limits,
                usedToday: try row["used_today"],
                usedThisMonth: try row["used_this_month"],
                isOwn: try row["is_own"],
                asset: asset
            )
        }
    }
}

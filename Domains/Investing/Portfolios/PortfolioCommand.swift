import Kernel
import Ledger
import PostgreSQL

/// What the writer is asked to do with a portfolio as a whole.
struct PortfolioCommand: Sendable {
    enum Kind: Sendable {
        /// Something is put in.
        case put(PortfolioMove)
        /// Something is taken out.
        case take(PortfolioMove)
        /// It ends, empty.
        case close
    }

    let kind: Kind
    let portfolio: Portfolio
    /// Its balances: of its cash and of every asset that is traded for it.
    let balances: [Asset: ID<LedgerAccount>]

    /// Every account that it may touch or look at.
    var ledgerAccounts: [ID<LedgerAccount>] {
        switch kind {
        case .put(let move), .take(let move): Array(balances.values) + [move.outside]
        case .close: Array(balances.values)
        }
    }
}

/// An amount that goes into a portfolio or out of it.
struct PortfolioMove: Sendable, Entity {
    static let idPrefix = "pmov"

    let id: ID<PortfolioMove>
    let asset: Asset
    /// Minor units, above zero.
    let amount: Int128
    /// The balance of the account that the portfolio lies in.
    let outside: ID<LedgerAccount>
}

/// Where a portfolio stands between two commands.
struct PortfolioProgress: Sendable {
    var growth: Growth
    var isOpen: Bool

    /// Reads them before a batch; the writer alone changes what it reads.
    static func of(_ portfolios: [ID<Portfolio>], in schema: Schema) -> SQL {
        """
        select p.id, p.status, f.number, f.growth, f.value_after, f.invested, f.put_in
        from \(schema).portfolios p
        left join lateral (
            select * from \(schema).portfolio_flows f where f.portfolio = p.id order by f.number desc limit 1) f on true
        where p.id = any(\(portfolios))
        """
    }

    static func read(_ rows: Rows) throws -> [ID<Portfolio>: PortfolioProgress] {
        var found: [ID<Portfolio>: PortfolioProgress] = [:]
        for row in rows {
            let status: String = try row["status"]
            found[try row["id"]] = PortfolioProgress(
                growth: try Growth(row) ?? Growth(),
                isOpen: status == Portfolio.Status.open.rawValue
            )
        }
        return found
    }
}

extension Growth {
    /// As the last flow left it; nil in a row without one.
    init?(_ row: Row) throws {
        let number: Int64? = try row["number"]
        guard let number else { return nil }
        self.init(
            index: try row["growth"],
            value: try row["value_after"],
            invested: try row["invested"],
            putIn: try row["put_in"],
            flows: number
        )
    }
}

/// Something that went into a portfolio or out of it.
struct PortfolioFlowRow: StoredRow {
    let portfolio: ID<Portfolio>
    let asset: Asset
    /// Minor units, below zero when taken out.
    let amount: Int128
    /// What the portfolio was worth the moment before, in minor units of its cash.
    let before: Int128
    let growth: Growth

    static func store(_ rows: [PortfolioFlowRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).portfolio_flows (portfolio, number, asset, amount, value, value_before, value_after,
                growth, invested, put_in, recorded_at)
            select f.*, \(instant)
            from unnest(\(rows.map(\.portfolio)), \(rows.map(\.growth.flows)), \(rows.map(\.asset.code)),
                \(rows.map(\.amount)), \(rows.map { $0.growth.value - $0.before }), \(rows.map(\.before)),
                \(rows.map(\.growth.value)), \(rows.map(\.growth.index)), \(rows.map(\.growth.invested)),
                \(rows.map(\.growth.putIn))) as f
            returning 1
            """
        ]
    }
}

/// The end of a portfolio.
struct PortfolioEndRow: StoredRow {
    let portfolio: ID<Portfolio>

    static func store(_ rows: [PortfolioEndRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).portfolios p
            set status = 'closed', schedule = 'none', next_run_at = null, version = p.version + 1,
                updated_at = \(instant)
            from unnest(\(rows.map(\.portfolio))) as n(id)
            where p.id = n.id and p.status = 'open'
            returning 1
            """
        ]
    }
}

import Kernel
import PostgreSQL

/// Reads positions and what was traded.
struct Positions: Sendable {
    let schema: Schema
    let pool: Pool
    let markets: Markets

    /// What an account holds or held, market by market.
    func all(of account: TradingAccount) async throws -> [Holding] {
        let rows = try await pool.query(
            """
            select m.id as of_market, m.last_price, coalesce(a.posted, 0) as held, \(Position.columns)
            from \(schema).markets m
            left join \(schema).positions p on p.market = m.id and p.account = \(account.id)
            left join \(schema).ledger_accounts a
                on a.owner = \(account.user) and a.kind = \(account.ledgerKind) and a.asset = m.base
            where p.account is not null or a.posted > 0
            order by m.id
            """
        )
        let known = try await markets.numbered(try rows.map { try $0["of_market"] })
        return try rows.compactMap { row in
            guard let market = known[try row["of_market"]] else { return nil }
            let traded: ID<TradingAccount>? = try row["account"]
            let position = traded == nil ? Position() : try Position.read(row).position
            return Holding(market: market, position: position, held: try row["held"], price: try row["last_price"])
        }
    }

    /// What an account traded, market by market.
    func statistics(of account: ID<TradingAccount>) async throws -> [(AccountStatistics, Market)] {
        let rows = try await pool.query(
            """
            select market, fills, taken, bought, sold, paid, received, fees, lowest, highest, first_at, last_at
            from \(schema).trade_statistics where account = \(account) order by market
            """
        )
        let known = try await markets.numbered(try rows.map { try $0["market"] })
        return try rows.compactMap { row in
            let statistics = try AccountStatistics(row)
            return known[statistics.market].map { (statistics, $0) }
        }
    }

    /// What was traded in a market since it opened; nil before its first trade.
    func statistics(of market: Market) async throws -> MarketStatistics? {
        let rows = try await pool.query(
            """
            select trades, quantity, quote, fees, lowest, highest, first_at, last_at
            from \(schema).market_statistics where market = \(market.id)
            """
        )
        return try rows.first.map { try MarketStatistics($0) }
    }
}

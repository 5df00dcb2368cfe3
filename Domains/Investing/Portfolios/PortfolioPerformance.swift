import HTTP
import Kernel
import Ledger
import PostgreSQL

/// How a portfolio did: in all, since the day began, and apart from what was put in and taken out.
struct PortfolioPerformance: Sendable {
    let standing: PortfolioStanding
    let day: CalendarDay
    /// What it was worth when the day began, in minor units of the cash.
    let dayValue: Int128
    /// Its growth as of the last flow before the day.
    let dayGrowth: Growth

    /// The index now.
    var index: Int128 { standing.growth.index(at: standing.value) }

    /// What the day gained: not what was put in or taken out.
    var dayChange: Int128 { standing.value - dayValue - (standing.growth.invested - dayGrowth.invested) }

    var json: JSON {
        let growth = standing.growth
        func money(_ value: Int128) -> JSON {
            .string(DecimalText.format(value, scale: standing.portfolio.cash.scale))
        }
        func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
        let gain = standing.value - growth.invested
        return [
            "portfolio": .string(standing.portfolio.id.wire), "as_of": .string(standing.at.description),
            "value": money(standing.value), "put_in": money(growth.putIn),
            "taken_out": money(growth.putIn - growth.invested), "total_return": money(gain),
            "total_return_percent": text(Growth.percent(gain: gain, of: growth.putIn)),
            "time_weighted_percent": text(Growth.percent(index)), "realized": money(standing.realized),
            "unrealized": money(standing.unrealized),
            "day": [
                "day": .string(day.description), "value_before": money(dayValue), "change": money(dayChange),
                "flows": money(growth.invested - dayGrowth.invested),
                "change_percent": text(Growth.percent(index, over: dayGrowth.index(at: dayValue))),
            ],
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("portfolio", .id(of: Portfolio.self)), .required("as_of", .string(.instant)),
            .required("value", .anyString), .required("put_in", .anyString), .required("taken_out", .anyString),
            .required("total_return", .anyString, "`value` and what was taken out, less what was put in."),
            .required("total_return_percent", .nullable(.anyString), "Of `put_in`."),
            .required(
                "time_weighted_percent",
                .nullable(.anyString),
                "What one unit invested at the start gained; neither deposits nor withdrawals change it."
            ),
            .required("realized", .anyString), .required("unrealized", .anyString),
            .required(
                "day",
                .object(
                    [
                        .required("day", .day, "Since midnight in UTC."), .required("value_before", .anyString),
                        .required("change", .anyString, "Without what was put in and taken out."),
                        .required("flows", .anyString, "What was put in less what was taken out."),
                        .required("change_percent", .nullable(.anyString), "Time-weighted; null after nothing."),
                    ],
                    named: "PortfolioDay"
                )
            ),
        ],
        named: "PortfolioPerformance"
    )
}

extension Portfolios {
    /// How a portfolio did so far; what it was when the day began is read from the journal and the klines.
    func performance(
        of portfolio: Portfolio,
        _ balances: LedgerAccounts,
        _ history: LedgerHistory
    ) async throws -> PortfolioPerformance {
        let standing = try await standing(of: portfolio)
        let day = standing.at.day
        let last = Timestamp(microseconds: day.start.microseconds - 1)
        let account = portfolio.account
        func key(_ asset: Asset) -> AccountKey { AccountKey(account.user, account.ledgerKind, asset) }
        let assets = standing.parts.map(\.holding.market.base) + [portfolio.cash]
        let opened = try await balances.find(assets.map(key))
        var value: Int128 = 0
        for part in standing.parts {
            let market = part.holding.market
            guard let id = opened[key(market.base)], let price = try await price(of: market, before: day) else {
                continue
            }
            let lots = try await history.posted(on: id, asOf: last) / market.lot
            value += market.quoteAmount(lots * Int128(price))
        }
        if let id = opened[key(portfolio.cash)] { value += try await history.posted(on: id, asOf: last) }
        return PortfolioPerformance(
            standing: standing,
            day: day,
            dayValue: value,
            dayGrowth: try await growth(of: portfolio.id, asOf: last)
        )
    }

    /// The price of a market's last trade before a day, in ticks; nil before its first.
    private func price(of market: Market, before day: CalendarDay) async throws -> Int64? {
        let rows = try await pool.query(
            """
            select close from \(schema).klines
            where market = \(market.id) and period = \(KlinePeriod.day.rawValue) and opened_at < \(day.start)
            order by opened_at desc limit 1
            """
        )
        return try rows.first?["close"]
    }

    private func growth(of portfolio: ID<Portfolio>, asOf instant: Timestamp) async throws -> Growth {
        let rows = try await pool.query(
            """
            select number, growth, value_after, invested, put_in from \(schema).portfolio_flows
            where portfolio = \(portfolio) and recorded_at <= \(instant) order by number desc limit 1
            """
        )
        return try rows.first.flatMap(Growth.init) ?? Growth()
    }
}

import HTTP
import Kernel
import Ledger
import PostgreSQL

/// What a portfolio has and what it is worth, as of one instant.
///
/// Its value counts whole lots at the prices of the last trades; what is less than a lot of an asset can't be sold and
/// doesn't count.
struct PortfolioStanding: Sendable {
    /// An asset beside the cash: one that is there, or that has a target.
    struct Part: Sendable {
        let holding: Holding
        /// Minor units that something holds.
        let reserved: Int128
        /// Basis points that it is to have.
        let weight: Int

        /// Whole lots that are there.
        var lots: Int128 { holding.held / holding.market.lot }
        /// Minor units of the cash; nothing where there is no price yet.
        var value: Int128 { holding.price.map { holding.market.quoteAmount(lots * Int128($0)) } ?? 0 }
    }

    /// What a standing is as of.
    struct Moment: Sendable {
        /// Whatever had ended by then is in it.
        let at: Timestamp
        /// How often something had moved in or out of the portfolio's balances.
        let moves: Int64
    }

    let portfolio: Portfolio
    let moment: Moment
    let cash: (posted: Int128, reserved: Int128)
    let parts: [Part]
    let growth: Growth

    var at: Timestamp { moment.at }
    /// Minor units of the cash.
    var value: Int128 { parts.reduce(cash.posted) { $0 + $1.value } }
    /// Basis points of each part, and of the cash at the end.
    var shares: [Int] { Allocation.shares(parts.map(\.value) + [cash.posted]) }
    /// The same as they are to be.
    var weights: [Int] { parts.map(\.weight) + [portfolio.cashWeight] }
    /// Basis points in the wrong place; none of an empty portfolio.
    var drift: Int { value == 0 ? 0 : Allocation.drift(shares, weights: weights) }

    /// What a rebalancing reckons with.
    ///
    /// - Throws: 422 `no_price` where something that is there or wanted hasn't traded yet.
    func members() throws(Problem) -> [RebalancePlan.Member] {
        var members: [RebalancePlan.Member] = []
        for part in parts {
            let market = part.holding.market
            guard let price = part.holding.price else { throw Problem.noPrice(market.base) }
            let free = (part.holding.held - part.reserved) / market.lot
            members.append(
                .init(market: market, weight: part.weight, price: price, lots: part.lots, free: free)
            )
        }
        return members
    }

    var rebalanceCash: RebalancePlan.Cash {
        .init(weight: portfolio.cashWeight, amount: cash.posted, free: max(0, cash.posted - cash.reserved))
    }
}

extension Portfolio {
    /// How often something moved in or out of its balances, each of which counts its transfers.
    func moves(in schema: Schema) -> SQL {
        """
        (select coalesce(sum(version), 0)::bigint from \(schema).ledger_accounts
        where owner = \(account.user) and kind = \(account.ledgerKind))
        """
    }
}

extension Portfolios {
    /// A portfolio's standing, all of it as of one moment.
    func standing(of portfolio: Portfolio) async throws -> PortfolioStanding {
        let results = try await pool.withTransaction(isolation: .repeatableRead) { transaction in
            try await transaction.pipeline([
                held(by: portfolio), balance(of: portfolio), lastFlow(of: portfolio),
                // When the transaction began, before its first statement chose what all of them see.
                "select transaction_timestamp() as now", "select \(portfolio.moves(in: schema)) as moves",
            ])
        }
        let known = try await markets.numbered(try results[0].map { try $0["of_market"] })
        let parts: [PortfolioStanding.Part] = try results[0].compactMap { row in
            guard let market = known[try row["of_market"]] else { return nil }
            let traded: ID<TradingAccount>? = try row["account"]
            let holding = Holding(
                market: market,
                position: traded == nil ? Position() : try Position.read(row).position,
                held: try row["held"],
                price: try row["last_price"]
            )
            return PortfolioStanding.Part(
                holding: holding,
                reserved: try row["reserved"],
                weight: portfolio.terms.targets[market.base, default: 0]
            )
        }
        return PortfolioStanding(
            portfolio: portfolio,
            moment: .init(at: try results[3][0]["now"], moves: try results[4][0]["moves"]),
            cash: try results[1].first.map { (try $0["posted"], try $0["reserved"]) } ?? (0, 0),
            parts: parts,
            growth: try results[2].first.flatMap(Growth.init) ?? Growth()
        )
    }

    private func held(by portfolio: Portfolio) -> SQL {
        """
        select m.id as of_market, m.last_price, coalesce(b.posted, 0) as held, coalesce(b.reserved, 0) as reserved,
            \(Position.columns)
        from \(schema).markets m
        left join \(schema).positions p on p.market = m.id and p.account = \(portfolio.account.id)
        left join \(schema).ledger_accounts b
            on b.owner = \(portfolio.account.user) and b.kind = \(portfolio.account.ledgerKind) and b.asset = m.base
        where m.quote = \(portfolio.cash.code)
            and (p.account is not null or b.posted > 0 or m.base = any(\(portfolio.terms.assets.map(\.code))))
        order by m.id
        """
    }

    private func balance(of portfolio: Portfolio) -> SQL {
        """
        select posted, reserved from \(schema).ledger_accounts
        where owner = \(portfolio.account.user) and kind = \(portfolio.account.ledgerKind)
            and asset = \(portfolio.cash.code)
        """
    }

    private func lastFlow(of portfolio: Portfolio) -> SQL {
        """
        select number, growth, value_after, invested, put_in from \(schema).portfolio_flows
        where portfolio = \(portfolio.id) order by number desc limit 1
        """
    }
}

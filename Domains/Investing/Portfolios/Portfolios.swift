import Audit
import DomainKit
import HTTP
import Kernel
import Ledger
import PostgreSQL

/// Opens, finds and changes portfolios.
struct Portfolios: Sendable {
    let schema: Schema
    let pool: Pool
    let ids: IDGenerator
    let clock: any WallClock
    let markets: Markets

    /// The open portfolios of an account, oldest first.
    func all(of account: ID<TradingAccount>) async throws -> [Portfolio] {
        let rows = try await pool.query(
            """
            \(select) where p.account = \(account) and p.status = 'open' order by p.id
            limit \(Portfolio.perAccountMax)
            """
        )
        return try rows.map(Portfolio.init)
    }

    /// A portfolio of a user, closed ones too.
    ///
    /// - Throws: 404, for anybody else's as well.
    func get(_ id: ID<Portfolio>, of user: ID<User>) async throws -> Portfolio {
        let rows = try await pool.query("\(select) where p.id = \(id) and a.user_id = \(user)")
        guard let row = rows.first else { throw Problem.notFound }
        return try Portfolio(row)
    }

    /// A portfolio, whoever has it; nil if there is none.
    func find(_ id: ID<Portfolio>) async throws -> Portfolio? {
        try await pool.query("\(select) where p.id = \(id)").first.map(Portfolio.init)
    }

    /// The assets that are traded for a cash.
    func tradable(for cash: Asset) async throws -> Set<Asset> {
        Set(try await markets.all().filter { $0.market.quote == cash }.map(\.market.base))
    }

    /// Opens a portfolio within an account.
    ///
    /// - Throws: 409 `portfolio_exists` for a name that an open one has, 422 `too_many_portfolios`.
    func open(
        within account: TradingAccount,
        _ terms: PortfolioTerms,
        cash: Asset,
        by initiator: Initiator
    ) async throws -> Portfolio {
        let (id, now) = (ids.next(Portfolio.self), clock.now())
        let entry = audit("portfolio.open", id, initiator, before: nil, after: terms.json(cash))
        do {
            try await pool.transact { transaction in
                // One at a time for an account, so that they are counted right.
                let counted = try await transaction.pipeline([
                    "select 1 from \(schema).accounts where id = \(account.id) for no key update",
                    """
                    select count(*) as open from \(schema).portfolios
                    where account = \(account.id) and status = 'open'
                    """,
                ])
                let open: Int = try counted[1][0]["open"]
                guard open < Portfolio.perAccountMax else {
                    throw Problem(
                        422,
                        "too_many_portfolios",
                        "An account has at most \(Portfolio.perAccountMax) open portfolios. Close one first."
                    )
                }
                return Closing(
                    (),
                    last: insert(id, account, terms, cash, now) + [entry].statements(in: schema, at: now)
                )
            }
        } catch let error as PostgresError where error.violates("portfolios_named") {
            throw Problem.portfolioExists
        }
        return try await get(id, of: account.user)
    }

    /// Gives a portfolio other terms.
    ///
    /// - Throws: 409 `portfolio_exists`, `portfolio_closed`; 412 `version_mismatch` if it has changed meanwhile.
    func change(_ portfolio: Portfolio, _ terms: PortfolioTerms, by initiator: Initiator) async throws -> Portfolio {
        guard portfolio.status == .open else {
            throw Problem(409, "portfolio_closed", "The portfolio is closed. Open another one.")
        }
        let now = clock.now()
        let cash = portfolio.cash
        let entry = audit(
            "portfolio.change",
            portfolio.id,
            initiator,
            before: portfolio.terms.json(cash),
            after: terms.json(cash)
        )
        let isRescheduled = terms.schedule != portfolio.terms.schedule || portfolio.terms.isPaused && !terms.isPaused
        let update = update(portfolio, terms, isRescheduled: isRescheduled, now)
        do {
            try await pool.transact { _ in
                Closing((), last: [update] + [entry].statements(in: schema, at: now))
            }
        } catch let error as PostgresError where error.isStale {
            throw Problem(
                412,
                "version_mismatch",
                "The portfolio has changed since you read it. Read it again and retry."
            )
        } catch let error as PostgresError where error.violates("portfolios_named") {
            throw Problem.portfolioExists
        }
        return try await get(portfolio.id, of: portfolio.account.user)
    }

    /// What went in and out of a portfolio, newest first, before a number.
    func flows(of portfolio: ID<Portfolio>, before number: Int64, limit: Int) async throws -> [PortfolioFlow] {
        let rows = try await pool.query(
            """
            select number, asset, amount, value, value_before, value_after, recorded_at
            from \(schema).portfolio_flows where portfolio = \(portfolio) and number < \(number)
            order by number desc limit \(limit)
            """
        )
        return try rows.map(PortfolioFlow.init)
    }

    // MARK: Statements

    var select: SQL {
        """
        select \(TradingAccount.columns(in: schema)), p.account as within, p.name, p.risk_level, p.cash, p.targets,
            p.band_kind, p.band, p.order_minimum, p.slippage, p.schedule, p.is_on_drift, p.is_paused, p.next_run_at,
            p.status as portfolio_status, p.version as portfolio_version, p.created_at as opened_at
        from \(schema).portfolios p join \(schema).accounts a on a.id = p.id
        """
    }

    private func insert(
        _ id: ID<Portfolio>,
        _ account: TradingAccount,
        _ terms: PortfolioTerms,
        _ cash: Asset,
        _ now: Timestamp
    ) -> [SQL] {
        [
            """
            insert into \(schema).accounts (id, user_id, type, ledger_kind, risk_tolerance, parent, created_at,
                updated_at)
            values (\(id), \(account.user), \(account.kind.rawValue), \(Portfolio.ledgerKind(id)),
                \(account.riskTolerance), \(account.id), \(now), \(now))
            """,
            """
            insert into \(schema).portfolios (id, account, name, risk_level, cash, targets, band_kind, band,
                order_minimum, slippage, schedule, is_on_drift, is_paused, next_run_at, next_look_at, created_at,
                updated_at)
            values (\(id), \(account.id), \(terms.name), \(terms.riskLevel.rawValue), \(cash.code),
                \(terms.storedTargets), \(terms.band.kind.rawValue), \(terms.band.basisPoints), \(terms.orderMinimum),
                \(terms.slippage), \(terms.schedule.rawValue), \(terms.isOnDrift), \(terms.isPaused),
                \(terms.schedule.next(after: now)), \(now), \(now), \(now))
            """,
        ]
    }

    // A run that started meanwhile has set its next time, which is left as it is unless the schedule is another one.
    private func update(
        _ portfolio: Portfolio,
        _ terms: PortfolioTerms,
        isRescheduled: Bool,
        _ now: Timestamp
    ) -> SQL {
        """
        with changed as (
            update \(schema).portfolios
            set name = \(terms.name), risk_level = \(terms.riskLevel.rawValue), targets = \(terms.storedTargets),
                band_kind = \(terms.band.kind.rawValue), band = \(terms.band.basisPoints),
                order_minimum = \(terms.orderMinimum), slippage = \(terms.slippage),
                schedule = \(terms.schedule.rawValue), is_on_drift = \(terms.isOnDrift),
                is_paused = \(terms.isPaused),
                next_run_at = case when \(isRescheduled) then \(terms.schedule.next(after: now)) else next_run_at end,
                next_look_at = \(now), version = version + 1, updated_at = \(now)
            where id = \(portfolio.id) and version = \(portfolio.version) and status = 'open' returning 1)
        select blocks.expect_rows(count(*), 1) from changed
        """
    }

    private func audit(
        _ action: String,
        _ id: ID<Portfolio>,
        _ initiator: Initiator,
        before: JSON?,
        after: JSON
    ) -> any StoredRow {
        AuditEntry(
            id: ids.next(),
            actor: initiator.actor,
            action: action,
            entity: "portfolio",
            entityID: id.value,
            before: before,
            after: after,
            ip: initiator.ip,
            userAgent: initiator.userAgent,
            session: initiator.session,
            correlation: initiator.correlation
        )
    }
}

extension Problem {
    /// 409 for a portfolio's name that another open one of the account has.
    static let portfolioExists = Problem(
        409,
        "portfolio_exists",
        "The account has an open portfolio with this name. Choose another name.",
        faults: [Problem.Fault("/name", "portfolio_exists")]
    )
}

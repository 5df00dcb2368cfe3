import DomainKit
import HTTP
import Kernel
import MatchingEngine
import PostgreSQL

/// Plans rebalancings, starts them and carries them out, by the same way as any client's orders.
///
/// A rebalancing is stored with all its orders before the first one is placed. Each order has a client's id of its own,
/// and what it is placed with is stored before it is: whoever goes on after a crash places nothing twice and nothing
/// else.
struct Rebalancer: Sendable {
    let portfolios: Portfolios
    let rebalances: Rebalances
    let placement: OrderPlacement
    let markets: Markets

    /// What a rebalancing would do now, and as of when that is.
    ///
    /// - Throws: 403 `user_not_active`; 422 `no_price`, `account_restricted`.
    func plan(_ portfolio: Portfolio) async throws -> (plan: RebalancePlan, at: PortfolioStanding.Moment) {
        let standing = try await portfolios.standing(of: portfolio)
        let members = try standing.members()
        guard let market = members.first?.market else {
            return (RebalancePlan([], standing.rebalanceCash, .init(portfolio)), standing.moment)
        }
        let rates = try await placement.reader.promise(to: portfolio.account, in: market)
        var rules = RebalancePlan.Rules(portfolio)
        rules.feeRate = rates.highest
        return (RebalancePlan(members, standing.rebalanceCash, rules), standing.moment)
    }

    /// Starts a rebalancing that was asked for and carries it out; the same request again gives the same one.
    ///
    /// - Throws: what `plan` throws; 409 `rebalance_running`, `portfolio_closed`, `portfolio_changed`; 422
    ///   `idempotency_key_reused`.
    func run(_ portfolio: Portfolio, request: UInt128, by initiator: Initiator) async throws -> Rebalance {
        if let earlier = try await earlier(portfolio, request) { return earlier }
        guard portfolio.status == .open else {
            throw Problem(409, "portfolio_closed", "The portfolio is closed. Open another one.")
        }
        let (plan, at) = try await plan(portfolio)
        let start: Rebalances.Start
        do {
            start = try await rebalances.start(
                plan,
                asOf: at,
                of: portfolio,
                .manual,
                request: request,
                by: initiator
            )
        } catch let error as PostgresError where error.violates("rebalances_request_key") {
            start = .busy
        }
        if case .started(let id) = start { return try await carryOut(id, portfolio, by: initiator) }
        // By another way, the same request may have been quicker.
        if let earlier = try await earlier(portfolio, request) { return earlier }
        throw start == .outdated ? Rebalancer.changed : Rebalancer.running
    }

    private static let running = Problem(
        409,
        "rebalance_running",
        "Another rebalancing of this portfolio is under way or has just ended. Try again after it.",
        retryAfterSeconds: 1
    )
    private static let changed = Problem(
        409,
        "portfolio_changed",
        "The portfolio has changed while its rebalancing was planned; nothing was done. Try again.",
        retryAfterSeconds: 1
    )

    private func earlier(_ portfolio: Portfolio, _ request: UInt128) async throws -> Rebalance? {
        guard let earlier = try await rebalances.find(request: request) else { return nil }
        guard earlier.portfolio == portfolio.id else { throw Problem.keyReused }
        return earlier
    }

    /// Places what isn't placed yet of a rebalancing, in its order, and ends it.
    ///
    /// Idempotent, and safe beside another one that does the same.
    func carryOut(
        _ id: ID<Rebalance>,
        _ portfolio: Portfolio,
        by initiator: Initiator
    ) async throws -> Rebalance {
        guard let rebalance = try await rebalances.find(id) else { throw Problem.notFound }
        guard rebalance.status == .running else { return rebalance }
        for step in rebalance.steps where !step.status.isOver {
            try await carryOut(step, of: rebalance, portfolio, by: initiator)
        }
        let standing = try await portfolios.standing(of: portfolio)
        guard let over = try await rebalances.find(id) else { throw Problem.notFound }
        _ = try await rebalances.finish(over, of: portfolio, driftAfter: standing.drift)
        guard let ended = try await rebalances.find(id) else { throw Problem.notFound }
        return ended
    }

    private func carryOut(
        _ step: Rebalance.Step,
        of rebalance: Rebalance,
        _ portfolio: Portfolio,
        by initiator: Initiator
    ) async throws {
        var wish = step.amount
        if step.side == .buy, step.status == .planned {
            // Sales may have brought less than was planned; what was to be kept is kept.
            let cash = try await portfolios.standing(of: portfolio).rebalanceCash
            wish = min(wish, cash.free - rebalance.cashKept)
            if wish <= 0, try await rebalances.skip(step, of: rebalance.id) { return }
        }
        guard let amount = try await rebalances.fix(step, of: rebalance.id, amount: wish) else { return }
        let wanted = OrderPlacement.Wanted(
            clientID: "\(rebalance.id.wire):\(step.place)",
            side: step.side,
            lots: step.lots,
            amount: step.side == .buy ? amount : nil,
            bound: step.bound,
            isWhole: false
        )
        let stored = try await markets.market(step.market.symbol)
        let since = step.status == .placing ? rebalance.createdAt : nil
        let outcome = try await placement.place(wanted, of: portfolio.account, in: stored, by: initiator, since: since)
        let (status, order, reason): (Rebalance.Step.Status, ID<Order>?, String?) =
            switch outcome {
            case .filled(let order): (.filled, order, nil)
            case .partial(let order, let reason): (.partial, order, reason)
            case .unfilled(let order, let reason): (.unfilled, order, reason)
            case .refused(let code): (.refused, nil, code)
            }
        try await rebalances.settle(step, of: rebalance.id, status, order, reason: reason)
    }
}

extension RebalancePlan.Rules {
    /// What a portfolio's terms say, without a fee.
    init(_ portfolio: Portfolio) {
        self.init(
            band: portfolio.terms.band,
            minimum: portfolio.terms.orderMinimum,
            slippage: portfolio.terms.slippage
        )
    }
}

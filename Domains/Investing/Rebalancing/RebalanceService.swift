import DomainKit
import HTTP
import Kernel
import Logging
import Metrics
import PostgreSQL
import ServiceLifecycle

/// Rebalances portfolios when their time has come or they have left their bands, and goes on where a crash stopped one.
///
/// It works in the process that writes. A portfolio is claimed for a lease before it is looked at, so that two
/// processes don't do it at once; what a process that died had claimed is another's after the lease.
struct RebalanceService: Service {
    /// Between two looks.
    static let pauseSeconds = 2.0
    /// Portfolios, rebalancings or transactions of one look.
    static let setMax = 20
    /// Between two looks at the drift of one portfolio, and after a rebalancing.
    static let lookSeconds: Int64 = 60
    static let restSeconds: Int64 = 3_600
    /// Accepted transactions whose end nobody stored are looked after from then on.
    static let stuckSeconds = 30.0

    let rebalancer: Rebalancer
    let conversions: ConversionRoutes
    let ids: IDGenerator
    let isWriter: @Sendable () -> Bool
    let logger: Logger

    /// A portfolio that one process looks after.
    struct Claim: Sendable {
        let portfolio: ID<Portfolio>
        let isScheduled: Bool
        let now: Timestamp
    }

    /// Looks until a graceful shutdown.
    func run() async throws {
        let beats = AsyncTimer(seconds: RebalanceService.pauseSeconds)
        while await beats.next() {
            guard isWriter() else { continue }
            do {
                try await look()
            } catch {
                logger.warning("portfolios could not be looked at", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Goes on with what was interrupted, and starts what is due.
    func look() async throws {
        for id in try await rebalancer.rebalances.takeOver(limit: RebalanceService.setMax) {
            await attempt("a rebalancing could not go on", "\(id)") { try await goOn(id) }
        }
        let stuck = try await conversions.conversions.stuck(
            after: RebalanceService.stuckSeconds,
            limit: RebalanceService.setMax
        )
        for conversion in stuck {
            await attempt("a transaction could not go on", "\(conversion.id)") {
                let initiator = initiator(conversion.id.value)
                try await conversions.carryOut(conversion, by: initiator, since: conversion.acceptedAt)
            }
        }
        for claim in try await rebalancer.portfolios.claimDue(limit: RebalanceService.setMax) {
            await attempt("a portfolio could not be rebalanced", "\(claim.portfolio)") { try await start(claim) }
        }
        _ = try await conversions.conversions.forget(limit: RebalanceService.setMax * 10)
    }

    private func goOn(_ id: ID<Rebalance>) async throws {
        guard let rebalance = try await rebalancer.rebalances.find(id),
            let portfolio = try await rebalancer.portfolios.find(rebalance.portfolio)
        else { return }
        count(try await rebalancer.carryOut(id, portfolio, by: initiator(id.value)))
    }

    /// Rebalances a claimed portfolio if it is time or need, and says when to look next.
    func start(_ claim: Claim) async throws {
        guard let portfolio = try await rebalancer.portfolios.find(claim.portfolio) else { return }
        let cause = claim.isScheduled ? Rebalance.Cause.schedule : .drift
        let later = rebalancer.portfolios.release(claim, portfolio, after: RebalanceService.lookSeconds)
        let (plan, at): (RebalancePlan, PortfolioStanding.Moment)
        do {
            (plan, at) = try await rebalancer.plan(portfolio)
        } catch let problem as Problem {
            // Nothing that waiting for the lease would change: the next look is the usual one.
            _ = try await rebalancer.portfolios.pool.query(later)
            throw problem
        }
        guard plan.isDue || claim.isScheduled else {
            _ = try await rebalancer.portfolios.pool.query(later)
            return
        }
        let rested = rebalancer.portfolios.release(claim, portfolio, after: RebalanceService.restSeconds)
        let initiator = initiator(portfolio.id.value)
        let start = try await rebalancer.rebalances.start(
            plan,
            asOf: at,
            of: portfolio,
            cause,
            request: nil,
            by: initiator,
            also: [rested]
        )
        switch start {
        case .started(let id): count(try await rebalancer.carryOut(id, portfolio, by: initiator))
        case .busy: break
        case .outdated: _ = try await rebalancer.portfolios.pool.query(rebalancer.portfolios.letGo(claim))
        }
    }

    private func count(_ rebalance: Rebalance) {
        Counter(
            label: "investing_rebalances_total",
            dimensions: [("cause", rebalance.cause.rawValue), ("status", rebalance.status.rawValue)]
        ).increment()
    }

    private func initiator(_ correlation: UInt128) -> Initiator {
        Initiator(system: "system:rebalancing", correlation: correlation)
    }

    /// One that fails doesn't keep the others from their turn.
    private func attempt(_ failure: Logger.Message, _ id: String, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            logger.warning(failure, metadata: ["id": "\(id)", "error": "\(error)"])
        }
    }
}

extension Portfolios {
    /// Claims portfolios whose time has come, or whose drift is to be looked at, for a lease.
    func claimDue(limit: Int) async throws -> [RebalanceService.Claim] {
        let rows = try await pool.query(
            """
            update \(schema).portfolios p
            set claimed_until = clock_timestamp() + make_interval(secs => \(Rebalances.leaseSeconds))
            from (
                select id from \(schema).portfolios
                where status = 'open' and not is_paused and claimed_until < clock_timestamp()
                    and ((schedule <> 'none' and next_run_at <= clock_timestamp())
                        or (is_on_drift and next_look_at <= clock_timestamp()))
                order by least(next_run_at, next_look_at) limit \(limit) for update skip locked) due
            where p.id = due.id
            returning p.id, coalesce(p.next_run_at <= clock_timestamp(), false) as is_scheduled,
                clock_timestamp() as now
            """
        )
        return try rows.map {
            RebalanceService.Claim(portfolio: try $0["id"], isScheduled: try $0["is_scheduled"], now: try $0["now"])
        }
    }

    /// Gives a claimed portfolio back as it is: the next look is at what it has become.
    func letGo(_ claim: RebalanceService.Claim) -> SQL {
        "update \(schema).portfolios set claimed_until = '-infinity' where id = \(claim.portfolio)"
    }

    /// Gives a claimed portfolio back, to be looked at after so many seconds or at its next time.
    func release(_ claim: RebalanceService.Claim, _ portfolio: Portfolio, after seconds: Int64) -> SQL {
        """
        update \(schema).portfolios
        set claimed_until = '-infinity', next_look_at = \(claim.now.adding(seconds: seconds)),
            next_run_at = case
                when schedule = 'none' then null
                when next_run_at <= \(claim.now) then \(portfolio.terms.schedule.next(after: claim.now))
                else next_run_at end
        where id = \(portfolio.id)
        """
    }
}

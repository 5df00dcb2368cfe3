import Compliance
import DataProtection
import DomainKit
import HTTP
import Identity
import KYC
import Kernel
import PostgreSQL
import Screening
import ServiceLifecycle

extension Program {
    /// What compliance officers work with.
    var complianceRoutes: [Route] {
        let pool = platform.pool
        let reads = StaffReads(pool: pool, ids: ids, clock: clock)
        let cases = ComplianceCases(pool: pool, ids: ids, clock: clock)
        return ComplianceRoutes(cases: cases, reads: reads, data: personalData).routes
            + RiskRoutes(RiskHistory(pool: pool), TravelRuleRecords(pool: pool), reads: reads, cursors: cursors).routes
    }

    /// The customers' applications to be identified.
    var applications: KYCApplications {
        KYCApplications(
            pool: platform.pool,
            data: personalData,
            identity: identity,
            provider: vendors.provider,
            ids: ids,
            clock: clock
        )
    }

    /// What officers do with them.
    var review: KYCReview { KYCReview(applications) }

    /// What customers are identified by, who decides on it, and where vendors tell.
    var kycRoutes: [Route] {
        KYCRoutes(applications).routes + KYCReviewRoutes(review, cursors: cursors).routes + vendors.routes
    }

    /// Ends levels whose time is over, and says how many applications wait.
    var expiry: Chore {
        let (expiry, review) = (KYCExpiry(pool: platform.pool, identity: identity, clock: clock), review)
        return Chore(
            name: "kyc_expiry",
            schema: platform.schema.name,
            setMax: KYCExpiry.setMax,
            work: {
                try await review.measure()
                return try await expiry.run()
            }
        )
    }

    /// Tells of cases that nobody closed in time.
    var escalation: Chore {
        let escalation = CaseEscalation(
            pool: platform.pool,
            ids: ids,
            clock: clock,
            writes: identity.letterWriter(logger: logger) != nil,
            logger: logger
        )
        return Chore(
            name: "compliance_cases",
            schema: platform.schema.name,
            setMax: CaseEscalation.setMax,
            work: { try await escalation.run() }
        )
    }

    /// What looks after customers in the background: screens them by name, and watches what they do.
    var complianceServices: [any Service] {
        let (pool, personalData) = (platform.pool, personalData)
        let sweep = ScreeningSweep(
            pool: pool,
            screening: CustomerScreening(pool: pool, data: personalData, ids: ids, clock: clock),
            logger: logger
        ) { [applications] user in
            do {
                return try await applications.screenedBy(user)
            } catch DataProtectionProblem.erased {
                return (nil, [])
            }
        }
        let keepers = domains.compactMap(\.addressKeeper)
        return [
            sweep,
            ListSweep(pool: pool, data: personalData, ids: ids, clock: clock, keepers: keepers, logger: logger),
            MovementMonitor(pool: pool, data: personalData, ids: ids, clock: clock, logger: logger),
        ]
    }
}

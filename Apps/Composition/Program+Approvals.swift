import Approvals
import Compliance
import DomainKit
import Fees
import Identity
import Kernel

extension Program {
    /// What takes two people: roles of staff, fee schedules, the rules of compliance, and postings by hand.
    var approvals: Approvals {
        let cases = ComplianceCases(pool: platform.pool, ids: ids, clock: clock)
        let postings = ManualPostings(runtimes: Array(domainRuntimes.values), cases: cases, ids: ids)
        let fees = FeeApprovals(schedules: FeeSchedules(platform.pool), ids: ids)
        let rules = RuleSets(pool: platform.pool, clock: clock).approval(ids: ids)
        return Approvals(
            identity.approvalKinds + fees.kinds + [rules, postings.kind],
            pool: platform.pool,
            ids: ids,
            clock: clock
        )
    }
}

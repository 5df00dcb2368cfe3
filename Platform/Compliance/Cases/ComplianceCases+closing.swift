import Kernel
import PostgreSQL

extension ComplianceCases {
    /// Closes a case as it was proposed.
    ///
    /// A release lets money leave again, tells the user apart from each entry as it is now, and clears what rules found
    /// for some hours. What is confirmed holds the money from then on, if it wasn't held before.
    static func closing(_ id: ID<ComplianceCase>, _ actor: String, _ now: Timestamp) -> SQL {
        """
        with closed as (
            update platform.compliance_cases
            set status = proposed_decision, decided_by = \(actor), closed_at = \(now), version = version + 1
            where id = \(id)
            returning id, user_id, status
        ), freed as (
            delete from platform.compliance_holds held using closed
            where held.case_id = closed.id and closed.status = 'released'
        ), held as (
            insert into platform.compliance_holds (user_id, case_id, held_at)
            select user_id, id, \(now) from closed where status = 'confirmed'
            on conflict (case_id) do nothing
        ), told as (
            insert into platform.monitoring_queue (user_id) select user_id from closed
        ), cleared as (
            insert into platform.compliance_clearances (user_id, flag, case_id, until)
            select distinct closed.user_id, split_part(alert.subject, ' ', 1), closed.id,
                \(now) + make_interval(hours => coalesce((
                    select (rules.parameters ->> 'clearance_hours')::integer
                    from platform.compliance_rule_sets rules where rules.status = 'active'
                ), \(PolicyParameters().clearanceHours)::integer))
            from closed
            join platform.compliance_alerts alert on alert.case_id = closed.id and alert.kind = 'aml'
            where closed.status = 'released'
            on conflict (user_id, flag) do update set case_id = excluded.case_id, until = excluded.until
        )
        insert into platform.screening_dismissals (user_id, source, key, digest, reason, dismissed_by, dismissed_at)
        select closed.user_id, entry.source, entry.key, entry.digest, 'released by case', \(actor), \(now)
        from closed
        join platform.compliance_alerts alert on alert.case_id = closed.id and alert.kind = 'sanctions'
        join platform.sanctions_entries entry on entry.id::text = alert.subject
        where closed.status = 'released'
        on conflict (user_id, source, key) do update
        set digest = excluded.digest, reason = excluded.reason, dismissed_by = excluded.dismissed_by,
            dismissed_at = excluded.dismissed_at
        """
    }
}

import Audit
public import Kernel
public import PostgreSQL

/// A case in which people decide about a customer.
public enum ComplianceCase: Entity {
    /// `cmp_…`.
    public static let idPrefix = "cmp"
}

/// The cases: tables `compliance_cases`, `compliance_alerts`, `compliance_notes`, `compliance_holds`.
///
/// A decision takes two: one proposes it, another agrees or sends it back. Nobody works on a case about themselves, nor
/// sees it.
public struct ComplianceCases: Sendable {
    /// What is decided.
    public enum Decision: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// It was nothing: money may leave again, the user is told apart from the entries of lists, and what rules
        /// found doesn't stop the user again for a while.
        case released
        /// It is so: money stays.
        case confirmed
    }

    /// Something that a person must look at.
    public struct Alert: Sendable {
        let user: ID<User>
        let kind: ComplianceAnswer.Kind
        let subject: String
        let score: Int
        let explanation: [String]

        /// An alert; of the same user, kind and subject there is one.
        public init(user: ID<User>, kind: ComplianceAnswer.Kind, subject: String, score: Int, explanation: [String]) {
            (self.user, self.kind, self.subject) = (user, kind, subject)
            (self.score, self.explanation) = (score, explanation)
        }
    }

    /// Hours until a case about sanctions is due, and one about anything else.
    static let dueHours: (sanctions: Int64, others: Int64) = (24, 72)

    let pool: Pool
    let ids: IDGenerator
    let clock: any WallClock

    /// The cases; `pool` is the platform's.
    public init(pool: Pool, ids: IDGenerator, clock: any WallClock) {
        (self.pool, self.ids, self.clock) = (pool, ids, clock)
    }

    /// Puts alerts of one user into the user's open case of their kind, or opens one.
    ///
    /// With `holds`, all money of the customer's that leaves waits for the case. The evidence is kept with the alerts,
    /// as it is now; that of the first ones opens the case.
    /// - Returns: the case; nil where all of them were raised before.
    /// - Throws: what the pool throws.
    @discardableResult
    public func raise(_ alerts: [Alert], evidence: JSON, holds: Bool = true) async throws -> ID<ComplianceCase>? {
        guard !alerts.isEmpty else { return nil }
        return try await pool.withTransaction { transaction in
            try await raise(alerts, evidence: evidence, holds: holds, in: transaction)
        }
    }

    /// Whether one of some alerts of one user and kind wasn't raised before.
    func isNews(_ alerts: [Alert]) async throws -> Bool {
        guard let first = alerts.first else { return false }
        let known: Int = try await pool.query(
            """
            select count(*) from platform.compliance_alerts
            where user_id = \(first.user) and kind = \(first.kind.rawValue)
            and subject = any (\(alerts.map(\.subject)))
            """
        )[0][0]
        return known < alerts.count
    }

    /// As `raise`, in a transaction of the caller's in schema `platform`.
    func raise(
        _ alerts: [Alert],
        evidence: JSON,
        holds: Bool,
        in transaction: Transaction
    ) async throws -> ID<ComplianceCase>? {
        guard let first = alerts.first else { return nil }
        let now = clock.now()
        _ = try await transaction.query(
            "select pg_advisory_xact_lock(hashtext('platform.compliance_cases'), hashtext(\(first.user.wire)))"
        )
        let known = try await transaction.query(
            """
            select subject from platform.compliance_alerts
            where user_id = \(first.user) and kind = \(first.kind.rawValue)
            and subject = any (\(alerts.map(\.subject)))
            """
        )
        let subjects = Set(try known.map { try $0[0] as String })
        let new = alerts.filter { !subjects.contains($0.subject) }
        guard !new.isEmpty else { return nil }
        let id = try await openCase(first, evidence, now, in: transaction)
        if holds { _ = try await transaction.query(ComplianceCases.hold(first.user, id, now)) }
        let newIDs: [ID<Alert>] = new.map { _ in ids.next() }
        _ = try await transaction.query(
            """
            insert into platform.compliance_alerts (id, case_id, user_id, kind, subject, score, explanation,
                evidence, raised_at)
            select a.id, \(id), \(first.user), \(first.kind.rawValue), a.subject, a.score,
                string_to_array(a.explanation, E'\\n'), \(evidence), \(now)
            from unnest(\(newIDs), \(new.map(\.subject)), \(new.map(\.score)),
                \(new.map { $0.explanation.joined(separator: "\n") })) as a(id, subject, score, explanation)
            """
        )
        _ = try await transaction.query(
            "insert into platform.monitoring_queue (user_id) values (\(first.user))"
        )
        return id
    }

    /// Whether a case about a customer's money or name isn't closed yet.
    func areOpen(about user: ID<User>) async throws -> Bool {
        try await pool.query(
            """
            select exists (
                select from platform.compliance_cases
                where user_id = \(user) and kind in ('aml', 'sanctions') and closed_at is null)
            """
        )[0][0]
    }

    private func openCase(
        _ alert: Alert,
        _ evidence: JSON,
        _ now: Timestamp,
        in transaction: Transaction
    ) async throws -> ID<ComplianceCase> {
        // Whoever closes the case holds its row: once that is done, it isn't found here any more.
        let open = try await transaction.query(
            """
            select id from platform.compliance_cases
            where user_id = \(alert.user) and kind = \(alert.kind.rawValue) and closed_at is null
            for update
            """
        ).first
        if let open {
            let id: ID<ComplianceCase> = try open["id"]
            // What was proposed was proposed without knowing of this.
            _ = try await transaction.query(
                """
                update platform.compliance_cases
                set status = 'open', proposed_by = null, proposed_decision = null, version = version + 1
                where id = \(id) and status = 'proposed'
                """
            )
            return id
        }
        let id: ID<ComplianceCase> = ids.next()
        let hours = alert.kind == .sanctions ? ComplianceCases.dueHours.sanctions : ComplianceCases.dueHours.others
        let due = Timestamp(microseconds: now.microseconds + hours * 3_600_000_000)
        _ = try await transaction.query(
            """
            insert into platform.compliance_cases (id, user_id, kind, evidence, opened_at, due_at)
            values (\(id), \(alert.user), \(alert.kind.rawValue), \(evidence), \(now), \(due))
            """
        )
        return id
    }

    private static func hold(_ user: ID<User>, _ id: ID<ComplianceCase>, _ now: Timestamp) -> SQL {
        """
        insert into platform.compliance_holds (user_id, case_id, held_at) values (\(user), \(id), \(now))
        on conflict (case_id) do nothing
        """
    }

    /// Takes a case.
    ///
    /// - Throws: 404 `not_found`, 409 `case_not_open`.
    public func assign(_ id: ID<ComplianceCase>, to actor: String) async throws {
        try await assign(id, to: actor, by: actor)
    }

    /// Gives a case to another officer, who may work on it and isn't its customer.
    ///
    /// - Throws: 404 `not_found`, 409 `case_not_open`, 422 `not_an_officer`.
    public func assign(_ id: ID<ComplianceCase>, to officer: ID<User>, by actor: String) async throws {
        let mayReview: Bool = try await pool.query(
            """
            select exists (
                select from platform.user_roles granted
                join platform.role_permissions may on may.role = granted.role and may.permission = 'compliance:review'
                where granted.user_id = \(officer))
                and not exists (
                    select from platform.compliance_cases where id = \(id) and user_id = \(officer))
            """
        )[0][0]
        guard mayReview else {
            throw Problem(422, "not_an_officer", "The case can't be given to this user.")
        }
        try await assign(id, to: officer.wire, by: actor)
    }

    private func assign(_ id: ID<ComplianceCase>, to officer: String, by actor: String) async throws {
        try await change(id, "case.assigned", by: actor, after: ["assigned_to": .string(officer)]) { row in
            guard ["open", "assigned"].contains(try row["status"] as String) else { throw ComplianceCases.notOpen }
            return """
                update platform.compliance_cases
                set status = 'assigned', assigned_to = \(officer), version = version + 1 where id = \(id)
                """
        }
    }

    /// Writes a note.
    ///
    /// - Throws: 404 `not_found`.
    public func note(_ id: ID<ComplianceCase>, _ text: String, by actor: String) async throws {
        let noteID: ID<Decision> = ids.next()
        let now = clock.now()
        try await change(id, "case.noted", by: actor, after: ["note": .string(text)]) { _ in
            """
            insert into platform.compliance_notes (id, case_id, author, text, written_at)
            values (\(noteID), \(id), \(actor), \(text), \(now))
            """
        }
    }

    /// Proposes a decision, which another must agree to.
    ///
    /// - Throws: 404 `not_found`, 409 `case_not_open`.
    public func propose(_ id: ID<ComplianceCase>, _ decision: Decision, by actor: String) async throws {
        try await change(id, "case.proposed", by: actor, after: ["decision": .string(decision.rawValue)]) { row in
            guard ["open", "assigned"].contains(try row["status"] as String) else { throw ComplianceCases.notOpen }
            return """
                update platform.compliance_cases
                set status = 'proposed', proposed_by = \(actor), proposed_decision = \(decision), version = version + 1
                where id = \(id)
                """
        }
    }

    /// Agrees to what another has proposed, or sends it back.
    ///
    /// - Throws: 404 `not_found`, 409 `nothing_proposed`, 403 `own_proposal`.
    public func decide(_ id: ID<ComplianceCase>, agrees: Bool, by actor: String) async throws {
        let now = clock.now()
        try await change(id, "case.decided", by: actor, after: ["agrees": .bool(agrees)]) { row in
            guard try row["status"] == "proposed" else {
                throw Problem(409, "nothing_proposed", "No decision is proposed in this case.")
            }
            guard try row["proposed_by"] != actor else {
                throw Problem(403, "own_proposal", "Another person must agree to what you have proposed.")
            }
            guard agrees else {
                return """
                    update platform.compliance_cases
                    set status = 'open', proposed_by = null, proposed_decision = null, version = version + 1
                    where id = \(id)
                    """
            }
            return ComplianceCases.closing(id, actor, now)
        }
    }

    private static let notOpen = Problem(409, "case_not_open", "This case is decided, or waits for a decision.")

    private func change(
        _ id: ID<ComplianceCase>,
        _ action: String,
        by actor: String,
        after: JSON,
        _ body: @Sendable (Row) throws -> SQL
    ) async throws {
        let entry = AuditEntry(
            id: ids.next(),
            actor: actor,
            action: action,
            entity: "compliance_case",
            entityID: id.value,
            after: after
        )
        try await pool.withTransaction { transaction in
            let row = try await transaction.query(
                "select status, proposed_by, user_id from platform.compliance_cases where id = \(id) for update"
            ).first
            // To its own customer a case isn't there.
            guard let row, actor != (try row["user_id"] as ID<User>).wire else {
                throw Problem(404, "not_found", "There is no such case.")
            }
            _ = try await transaction.query(try body(row))
            let now: Timestamp = try await transaction.query("select clock_timestamp()")[0][0]
            _ = try await transaction.pipeline([entry].statements(in: .platform, at: now))
        }
    }
}

extension ComplianceCases.Alert: Entity {
    /// `alrt_…`.
    public static let idPrefix = "alrt"
}

extension ComplianceCases.Decision: Entity {
    /// `note_…`.
    public static let idPrefix = "note"
}

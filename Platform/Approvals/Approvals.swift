import Audit
public import HTTP
public import Kernel
public import PostgreSQL

/// Maker and checker: what takes two people is proposed by one, approved by another, and done once.
///
/// The mark that it is done and what is done commit in one transaction. Who decides holds the row's lock meanwhile, so
/// of two who approve at once one is told that it is done.
public struct Approvals: Sendable {
    /// How long a proposal can be approved, in seconds: a day.
    public static let lifetimeSeconds: Int64 = 86_400

    /// The kinds that there are.
    public let kinds: [ApprovalKind]
    let pool: Pool
    let ids: IDGenerator
    let clock: any WallClock
    let byName: [String: ApprovalKind]

    /// Approvals over the platform's pool.
    ///
    /// The caller guarantees distinct names.
    public init(_ kinds: [ApprovalKind], pool: Pool, ids: IDGenerator, clock: any WallClock = SystemClock()) {
        (self.kinds, self.pool, self.ids, self.clock) = (kinds, pool, ids, clock)
        byName = Dictionary(uniqueKeysWithValues: kinds.map { ($0.name, $0) })
    }

    /// Proposes something.
    ///
    /// - Throws: `ApprovalProblem.unknownKind`, `.proposedAlready`, 403 without the kind's permission, 400 for a
    ///   payload of another form, or what the kind refuses.
    public func propose(
        _ kind: String,
        _ payload: JSON,
        because reason: String,
        by principal: Principal,
        _ trail: Trail
    ) async throws -> Approval {
        guard let kind = byName[kind] else { throw ApprovalProblem.unknownKind }
        guard principal.permissions.contains(kind.permission) else { throw Problem.forbidden }
        let faults = kind.payload.faults(in: payload)
        if let fault = faults.first { throw Problem.malformed(fault.code, in: "/payload" + fault.pointer) }
        let complete = try await kind.prepare(payload)
        let now = clock.now()
        let insert = ApprovalRows.insert(
            ids.next(),
            kind.name,
            complete,
            because: reason,
            by: principal.user,
            at: now,
            expiresAt: now.adding(seconds: Approvals.lifetimeSeconds)
        )
        do {
            return try await pool.transact { transaction in
                // One of the same that is over must not stand in its way.
                let done = try await endDue(trail, in: transaction, at: now)
                let made = try Approval(try await transaction.query(insert)[0])
                let action = trail.isConsole ? "break_glass.proposed" : "approval.proposed"
                return closing(made, [], done + [entry(action, made, trail)], at: now)
            }
        } catch let error as PostgresError where error.violates("approvals_proposed_once") {
            throw ApprovalProblem.proposedAlready
        }
    }

    /// Approves what somebody else has proposed, and does it.
    ///
    /// - Throws: 404, `ApprovalProblem.ownProposal`, `.notOpen`, `.tampered`, 403 without the kind's permission, or
    ///   what the kind refuses; the proposal stays then.
    public func approve(_ id: ID<Approval>, by principal: Principal, _ request: APIRequest) async throws -> Approval {
        let (now, trail) = (clock.now(), Trail(request))
        let (done, kind) = try await pool.transact { transaction in
            let (proposal, kind, found) = try await open(id, for: principal, in: transaction, at: now)
            guard proposal.proposedBy != principal.user else { throw ApprovalProblem.ownProposal }
            let initiative = ApprovalKind.Initiative(approver: principal, request: request)
            let execution =
                if let found {
                    ApprovalKind.Execution(found.result)
                } else {
                    try await kind.execute(proposal, initiative, transaction)
                }
            let executed = ApprovalKind.Done(execution.result, by: found?.approver ?? principal.user)
            let done = try await mark(proposal, executed, in: transaction, at: now)
            let rows = execution.rows + [entry("approval.executed", done, trail)]
            return closing((done, kind), execution.statements, rows, at: now)
        }
        await kind.afterwards(done)
        return done
    }

    /// Refuses what somebody else has proposed, or takes back what one has proposed oneself.
    ///
    /// What is found to be done is marked so instead.
    ///
    /// - Throws: 404, `ApprovalProblem.ownProposal`, `.notYours`, `.notOpen`, 403 without the kind's permission.
    public func end(
        _ id: ID<Approval>,
        as status: Approval.Status,
        because reason: String?,
        by principal: Principal,
        _ trail: Trail
    ) async throws -> Approval {
        precondition(status == .refused || status == .withdrawn, "an end that isn't one")
        let now = clock.now()
        let ended = try await pool.transact { transaction in
            let (proposal, _, found) = try await open(id, for: principal, in: transaction, at: now)
            let isOwn = proposal.proposedBy == principal.user
            guard isOwn == (status == .withdrawn) else {
                throw isOwn ? ApprovalProblem.ownProposal : ApprovalProblem.notYours
            }
            let ended =
                if let found {
                    try await mark(proposal, found, in: transaction, at: now)
                } else {
                    try await decide(proposal, status, by: principal.user, reason, nil, in: transaction, at: now)
                }
            return closing(ended, [], [entry("approval.\(ended.status.rawValue)", ended, trail)], at: now)
        }
        guard ended.status == status else { throw ApprovalProblem.notOpen(ended.status) }
        return ended
    }

    /// A proposal of any kind.
    ///
    /// - Throws: 404.
    public func find(_ id: ID<Approval>) async throws -> Approval {
        guard let row = try await pool.query(ApprovalRows.find(id)).first else { throw Problem.notFound }
        return try Approval(row)
    }

    /// A page of proposals, the newest first, one more than asked for; nil for those of every status.
    public func list(_ status: Approval.Status?, after cursor: Cursor?, limit: Int) async throws -> [Approval] {
        let id = cursor.map { ID<Approval>($0.id) }
        return try await pool.query(
            """
            select \(ApprovalRows.columns)
            from platform.approvals
            where status = coalesce(\(status), status)
                and (\(cursor?.instant as Timestamp?)::timestamptz is null
                    or (proposed_at, id) < (\(cursor?.instant as Timestamp?), \(id)))
            order by proposed_at desc, id desc
            limit \(limit + 1)
            """
        ).map { row in try Approval(row) }
    }

    private func open(
        _ id: ID<Approval>,
        for principal: Principal,
        in transaction: Transaction,
        at now: Timestamp
    ) async throws -> (Approval, ApprovalKind, ApprovalKind.Done?) {
        guard let row = try await transaction.query(ApprovalRows.lock(id)).first else { throw Problem.notFound }
        let proposal = try Approval(row)
        guard let kind = byName[proposal.kind] else { throw ApprovalProblem.unknownKind }
        guard principal.permissions.contains(kind.permission) else { throw Problem.forbidden }
        guard proposal.status == .proposed else { throw ApprovalProblem.notOpen(proposal.status) }
        let digest: Bytes = try row["digest"]
        guard digest == ApprovalRows.digest(proposal.kind, proposal.payload) else { throw ApprovalProblem.tampered }
        let done = try await kind.done?(proposal)
        guard now < proposal.expiresAt || done != nil else { throw ApprovalProblem.notOpen(.expired) }
        return (proposal, kind, done)
    }

    /// Marks what is done as executed.
    func mark(
        _ proposal: Approval,
        _ done: ApprovalKind.Done,
        in transaction: Transaction,
        at now: Timestamp
    ) async throws -> Approval {
        try await decide(proposal, .executed, by: done.approver, nil, done.result, in: transaction, at: now)
    }

    private func decide(
        _ proposal: Approval,
        _ status: Approval.Status,
        by user: ID<User>,
        _ reason: String?,
        _ result: JSON?,
        in transaction: Transaction,
        at now: Timestamp
    ) async throws -> Approval {
        let rows = try await transaction.query(
            ApprovalRows.decide(
                proposal.id,
                status,
                by: user,
                because: reason,
                result: result,
                at: now
            )
        )
        guard let row = rows.first else { throw ApprovalProblem.notOpen(.executed) }
        return try Approval(row)
    }

    private func closing<Answer: Sendable>(
        _ answer: Answer,
        _ statements: [SQL],
        _ rows: [any StoredRow],
        at now: Timestamp
    ) -> Closing<Answer> {
        Closing(answer, last: statements + rows.statements(in: .platform, at: now))
    }

    func entry(_ action: String, _ approval: Approval, _ trail: Trail) -> AuditEntry {
        AuditEntry(
            id: ids.next(),
            actor: trail.actor,
            action: action,
            entity: "approval",
            entityID: approval.id.value,
            after: approval.json,
            ip: trail.ip,
            userAgent: trail.userAgent,
            session: trail.session,
            correlation: trail.correlation
        )
    }
}

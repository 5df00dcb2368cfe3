import Audit
public import Kernel
public import Messaging
import PostgreSQL

/// Erases users by destroying their keys, with all that names them; what the law keeps stays under their id.
public struct Erasure: Sendable {
    /// The requests that it decides on.
    public let requests: ErasureRequests
    let data: PersonalValues
    let records: [any UserRecords]
    private let outbox: WorkSignal?

    /// Erasure over private data and everything else that is stored about users; `outbox` is raised after events.
    public init(_ data: PersonalValues, records: [any UserRecords], outbox: WorkSignal? = nil) {
        (self.data, self.outbox) = (data, outbox)
        self.records = [ProtectionRecords(data: data)] + records
        requests = ErasureRequests(pool: data.pool, ids: data.ids, clock: data.clock)
    }

    /// What stands against erasing a user now; empty for nothing.
    public func obstacles(to user: ID<User>) async throws -> [ErasureObstacle] {
        var obstacles: [ErasureObstacle] = []
        for records in records { obstacles += try await records.obstacles(to: user) }
        return obstacles
    }

    /// What would stay of a user, and why.
    public var kept: [ErasureReceipt.Kept] {
        records.flatMap(\.sections).compactMap { section in
            guard case .kept(let because) = section.fate else { return nil }
            return ErasureReceipt.Kept(what: section.name, because: because)
        }
    }

    /// The receipt of a user who was erased; nil for others.
    public func receipt(of user: ID<User>) async throws -> ErasureReceipt? {
        try await data.pool.query(
            """
            select id, user_id, erased_by, erased_at, removed, kept
            from platform.erasure_receipts where user_id = \(user)
            """
        ).first.map { row in try ErasureReceipt(row) }
    }

    /// Approves a user's open request and erases the user: no value can be decrypted from then on, also from backups
    /// of the encrypted values.
    ///
    /// The user is closed first, and with them the ledger accounts that others can pay into: another process may take
    /// the user for an active one for some seconds more, and what it posts then is refused. What stands against it is
    /// looked at before and after that, so that nothing comes in between. One that was cut off is done again; one that
    /// is done answers with its receipt.
    /// - Throws: `DataProtectionProblem.obstacles`, `.notRequested`, `.ownRequest`, or a `PostgresError`.
    public func erase(_ user: ID<User>, approvedBy requester: Requester) async throws -> ErasureReceipt {
        guard requester.user != user else { throw DataProtectionProblem.ownRequest }
        if let receipt = try await receipt(of: user) { return receipt }
        guard let request = try await requests.newest(of: user), request.status == .open else {
            throw DataProtectionProblem.notRequested
        }
        try await requireNothing(against: user)
        for records in records { try await records.close(user, by: requester) }
        try await requireNothing(against: user)
        let receipt = try await destroy(user, request.id, by: requester)
        for records in records { records.didErase(user) }
        outbox?.raise()
        return receipt
    }

    private func requireNothing(against user: ID<User>) async throws {
        let obstacles = try await obstacles(to: user)
        guard obstacles.isEmpty else { throw DataProtectionProblem.obstacles(obstacles) }
    }

    private func destroy(
        _ user: ID<User>,
        _ request: ID<ErasureRequest>,
        by requester: Requester
    ) async throws -> ErasureReceipt {
        let now = data.clock.now()
        var removals = Erasure.removals(of: user, at: now)
        for records in records { removals += try await records.removals(of: user, at: now) }
        let (statements, names) = (removals.map(\.statement), removals.map(\.what))
        let (id, entry, event): (ID<ErasureReceipt>, ID<AuditEntry>, ID<OutboxEvent>) = (
            data.ids.next(), data.ids.next(), data.ids.next()
        )
        return try await data.pool.transact { transaction in
            let decided = try await transaction.query(
                """
                update platform.erasure_requests
                set status = 'erased', decided_by = \(requester.actor), decided_at = \(now)
                where id = \(request) and status = 'open' and not blocks.is_user_held(user_id)
                """
            ).affected
            guard decided == 1 else { throw DataProtectionProblem.notRequested }
            let results = try await transaction.pipeline(statements)
            let version: Int64 = try await transaction.query(
                """
                update platform.users set event_version = event_version + 1, version = version + 1, updated_at = \(now)
                where id = \(user) returning event_version
                """
            )[0][0]
            let receipt = ErasureReceipt(
                id: id,
                user: user,
                erasedBy: requester.actor,
                erasedAt: now,
                removed: zip(names, results).map { .init(what: $0, rows: $1.affected) },
                kept: kept
            )
            let told = OutboxEvent(
                id: event,
                aggregateType: "user",
                aggregate: user,
                version: version,
                type: "platform.user.erased",
                payload: ["user": .string(user.wire)],
                correlation: requester.correlation
            )
            let noted = requester.entry(entry, "user.erased", of: user, after: ["receipt": .string(id.wire)])
            let rows: [any StoredRow] = [told, noted]
            return Closing(receipt, last: [receipt.store(for: request)] + rows.statements(in: .platform, at: now))
        }
    }

    /// The key goes first and leaves a mark, so that no other ever takes its place.
    private static func removals(of user: ID<User>, at now: Timestamp) -> [Removal] {
        [
            Removal(
                "platform.user_data_keys",
                """
                insert into platform.user_data_keys as k
                    (user_id, generation, wrapped, master_key, created_at, destroyed_at)
                values (\(user), 1, null, 'none', \(now), \(now))
                on conflict (user_id) do update set wrapped = null, destroyed_at = excluded.destroyed_at
                """
            ),
            Removal(
                "platform.personal_data",
                "delete from platform.encrypted_user_data where user_id = \(user)"
            ),
        ]
    }
}

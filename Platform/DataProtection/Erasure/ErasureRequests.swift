import Audit
public import Kernel
import PostgreSQL

/// Table `erasure_requests`.
public struct ErasureRequests: Sendable {
    /// Requests that a list holds.
    public static let listMax = 100

    let pool: Pool
    let ids: IDGenerator
    let clock: any WallClock

    /// A user's newest request; nil when there is none.
    public func newest(of user: ID<User>) async throws -> ErasureRequest? {
        try await pool.query(
            """
            select \(ErasureRequest.columns) from platform.erasure_requests
            where user_id = \(user) order by requested_at desc, id desc limit 1
            """
        ).first.map { row in try ErasureRequest(row) }
    }

    /// The open requests, the oldest first, at most `listMax`.
    public func open() async throws -> [ErasureRequest] {
        try await pool.query(
            """
            select \(ErasureRequest.columns) from platform.erasure_requests
            where status = 'open' order by requested_at, id limit \(ErasureRequests.listMax)
            """
        ).map { row in try ErasureRequest(row) }
    }

    /// A request by id; nil when there is none.
    public func find(_ id: ID<ErasureRequest>) async throws -> ErasureRequest? {
        try await pool.query("select \(ErasureRequest.columns) from platform.erasure_requests where id = \(id)")
            .first.map { row in try ErasureRequest(row) }
    }

    /// Asks for a user to be forgotten.
    ///
    /// - Throws: `DataProtectionProblem.requestedAlready`, `.erased`.
    public func make(for user: ID<User>, by requester: Requester) async throws -> ErasureRequest {
        let (id, entry, now): (ID<ErasureRequest>, ID<AuditEntry>, Timestamp) = (ids.next(), ids.next(), clock.now())
        if try await newest(of: user)?.status == .erased { throw DataProtectionProblem.erased }
        let asked = requester.entry(entry, "user.erasure_requested", of: user, after: ["request": .string(id.wire)])
        do {
            return try await pool.transact { transaction in
                let rows = try await transaction.query(
                    """
                    insert into platform.erasure_requests (id, user_id, requested_by, requested_at)
                    values (\(id), \(user), \(requester.actor), \(now))
                    returning \(ErasureRequest.columns)
                    """
                )
                return Closing(
                    try ErasureRequest(rows[0]),
                    last: [asked as any StoredRow].statements(in: .platform, at: now)
                )
            }
        } catch let error as PostgresError where error.violates("erasure_requests_open") {
            throw DataProtectionProblem.requestedAlready
        }
    }

    /// Withdraws or refuses a user's open request.
    ///
    /// - Throws: `DataProtectionProblem.notRequested` when there is none.
    public func end(
        of user: ID<User>,
        as status: ErasureRequest.Status,
        because reason: String?,
        by requester: Requester
    ) async throws -> ErasureRequest {
        precondition(status == .withdrawn || status == .refused, "an erasure ends by a receipt")
        let (entry, now): (ID<AuditEntry>, Timestamp) = (ids.next(), clock.now())
        let told = requester.entry(
            entry,
            "user.erasure_\(status.rawValue)",
            of: user,
            after: ["reason": reason.map { .string($0) } ?? .null]
        )
        let end: SQL = """
            update platform.erasure_requests
            set status = \(status), decided_by = \(requester.actor), decided_at = \(now), reason = \(reason)
            where user_id = \(user) and status = 'open'
            returning \(ErasureRequest.columns)
            """
        return try await pool.transact { transaction in
            guard let row = try await transaction.query(end).first else { throw DataProtectionProblem.notRequested }
            return Closing(
                try ErasureRequest(row),
                last: [told as any StoredRow].statements(in: .platform, at: now)
            )
        }
    }
}

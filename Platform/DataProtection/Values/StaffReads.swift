public import HTTP
public import Kernel
public import PostgreSQL

/// The log of what staff read of users beside their encrypted values: table `data_access_log`.
public struct StaffReads: Sendable {
    private let pool: Pool
    private let ids: IDGenerator
    private let clock: any WallClock

    /// The log; `pool` is the platform's.
    public init(pool: Pool, ids: IDGenerator, clock: any WallClock) {
        (self.pool, self.ids, self.clock) = (pool, ids, clock)
    }

    /// Notes that something of some users is read, as `compliance.case`; it is answered once this has returned.
    ///
    /// - Throws: what the pool throws; nothing may be answered then.
    public func note(_ what: String, of users: Set<ID<User>>, by reader: StaffReader) async throws {
        guard !users.isEmpty else { return }
        let from = reader.requester
        let newIDs: [ID<StaffReader>] = users.map { _ in ids.next() }
        _ = try await pool.query(
            """
            insert into platform.data_access_log (id, user_id, reader, roles, data_types, outcome, reason, ip,
                user_agent, session, correlation, recorded_at)
            select n.id, n.user_id, \(reader.user), \(from.roles), array[\(what)], 'disclosed', \(reader.reason),
                \(from.ip), \(from.userAgent), \(from.session), \(from.correlation), \(clock.now())
            from unnest(\(newIDs), \(Array(users))) as n(id, user_id)
            """
        )
    }
}

extension StaffReader {
    /// The parameter by which a request says why somebody's data is read.
    public static let parameter = Parameter.query(
        "reason",
        .text(1...500),
        "Why you read it, which is kept.",
        isRequired: true
    )

    /// The caller of a request that has `parameter`.
    ///
    /// - Throws: 401 on a public route.
    public init(_ request: APIRequest) throws(Problem) { try self.init(request, reason: request.text("reason") ?? "") }
}

public import HTTP
public import Kernel
import PostgreSQL

/// Who of the staff reads somebody's private data, and why.
public struct StaffReader: Sendable {
    /// The reader.
    public let user: ID<User>
    /// The reader's roles, which the policies go by.
    public let roles: [String]
    /// Why, 1 to 500 characters; it is kept.
    public let reason: String
    let ip: String?
    let userAgent: String?
    let session: UInt128?
    let correlation: UInt128?

    /// A reader on the console, outside of any request.
    public init(user: ID<User>, roles: [String], reason: String) {
        (self.user, self.roles, self.reason) = (user, roles, reason)
        (ip, userAgent, session, correlation) = (nil, nil, nil, nil)
    }

    /// The caller of a request.
    ///
    /// - Throws: 401 on a public route.
    public init(_ request: APIRequest, reason: String) throws(Problem) {
        let principal = try request.requirePrincipal()
        (user, roles, self.reason) = (principal.user, principal.roles, reason)
        ip = request.remoteAddress.isEmpty ? nil : request.remoteAddress
        userAgent = request.userAgent
        session = principal.sessionID.flatMap { ID<User>(uuid: $0) }?.value
        correlation = request.id.value
    }
}

extension PersonalData {
    /// Kinds of private data that the policies let some roles read.
    public func readable(by roles: [String]) async throws -> [DataType] {
        try await pool.query(
            "select distinct data_type from platform.data_access_policies where role = any(\(roles)) order by 1"
        ).map { row in DataType(try row[0]) }
    }

    /// A user's values of some kinds for a member of staff, after the read has been logged; at most `valuesMax`.
    ///
    /// An attempt that the policies refuse is logged too. The caller guarantees 1 to `valuesMax` kinds.
    /// - Throws: `DataProtectionProblem.notPermitted` when a kind isn't for the reader's roles, and as `read`.
    public func disclose(
        _ types: [DataType],
        of user: ID<User>,
        to reader: StaffReader
    ) async throws -> [PersonalValue] {
        precondition((1...PersonalData.valuesMax).contains(types.count), "staff read 1 to \(PersonalData.valuesMax)")
        let readable = Set(try await readable(by: reader.roles))
        let refused = types.filter { !readable.contains($0) }
        guard refused.isEmpty else {
            _ = try await pool.query(note(types, of: user, by: reader, "refused"))
            throw DataProtectionProblem.notPermitted(refused.map(\.name))
        }
        // The note commits with the snapshot that is read, and before anything is decrypted.
        let rows = try await pool.withTransaction { transaction in
            try await transaction.pipeline([
                note(types, of: user, by: reader, "disclosed"), PersonalData.selection(user, types),
            ])
        }
        return try await values(from: rows[1])
    }

    private func note(_ types: [DataType], of user: ID<User>, by reader: StaffReader, _ outcome: String) -> SQL {
        let id: ID<StaffReader> = ids.next()
        return """
            insert into platform.data_access_log (id, user_id, reader, roles, data_types, outcome, reason, ip,
                user_agent, session, correlation, recorded_at)
            values (\(id), \(user), \(reader.user), \(reader.roles), \(types.map(\.name)), \(outcome),
                \(reader.reason), \(reader.ip), \(reader.userAgent), \(reader.session), \(reader.correlation),
                \(clock.now()))
            """
    }
}

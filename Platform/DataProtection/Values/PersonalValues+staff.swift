public import HTTP
public import Kernel
import Audit
import PostgreSQL

/// Who of the staff reads somebody's private data, and why.
public struct StaffReader: Sendable {
    let user: ID<User>
    let requester: Requester
    let reason: String

    /// A reader who isn't at a request.
    public init(user: ID<User>, roles: [String], reason: String) {
        (self.user, self.reason) = (user, reason)
        requester = Requester(actor: user.wire, user: user, roles: roles)
    }

    /// The caller of a request; the reason, 1 to 500 characters, is kept.
    ///
    /// - Throws: 401 on a public route.
    public init(_ request: APIRequest, reason: String) throws(Problem) {
        (user, requester, self.reason) = (try request.requirePrincipal().user, try Requester(request), reason)
    }
}

extension PersonalValues {
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
        try await disclose(types, items: nil, of: user, to: reader)
    }

    /// One value of a user's for a member of staff, as documents are read: one at a time.
    ///
    /// - Throws: as `disclose` of kinds.
    public func disclose(
        _ type: DataType,
        item: UInt128,
        of user: ID<User>,
        to reader: StaffReader
    ) async throws -> PersonalValue? {
        try await disclose([type], items: [item], of: user, to: reader).first
    }

    /// Some values of a kind of a user's for a member of staff, by item; what isn't there is left out.
    ///
    /// The caller guarantees at most `valuesMax` items.
    /// - Throws: as `disclose` of kinds.
    public func disclose(
        _ type: DataType,
        items: [UInt128],
        of user: ID<User>,
        to reader: StaffReader
    ) async throws -> [PersonalValue] {
        try await disclose([type], items: items, of: user, to: reader)
    }

    private func disclose(
        _ types: [DataType],
        items: [UInt128]?,
        of user: ID<User>,
        to reader: StaffReader
    ) async throws -> [PersonalValue] {
        precondition(
            (1...PersonalValues.valuesMax).contains(types.count),
            "staff read 1 to \(PersonalValues.valuesMax)"
        )
        let readable = Set(try await readable(by: reader.requester.roles))
        let refused = types.filter { !readable.contains($0) }
        guard refused.isEmpty else {
            _ = try await pool.query(note(types, of: user, by: reader, "refused"))
            throw DataProtectionProblem.notPermitted(refused.map(\.name))
        }
        // The note commits with the snapshot that is read, and before anything is decrypted.
        let statements = [
            note(types, of: user, by: reader, "disclosed"), PersonalValues.selection(user, types, items: items),
        ]
        let rows = try await pool.withTransaction { try await $0.pipeline(statements) }
        return try await values(from: rows[1])
    }

    /// The users with a value of a kind, for a member of staff, by id; at most `foundMax`.
    ///
    /// That the reader knows it of them is logged like a read, before it is answered; the search itself is in the audit
    /// log, without the value.
    /// - Throws: `DataProtectionProblem.notPermitted` for a kind that isn't for the reader's roles, and as `find`.
    public func search(_ type: DataType, _ text: String, by reader: StaffReader) async throws -> [ID<User>] {
        let isPermitted = try await readable(by: reader.requester.roles).contains(type)
        let found = isPermitted ? try await find(type, text) : []
        var statements = found.map { note([type], of: $0, by: reader, "disclosed") }
        let entry = reader.requester.entry(
            ids.next(),
            isPermitted ? "personal_data.searched" : "personal_data.search_refused",
            of: reader.user,
            after: ["type": .string(type.name), "found": .integer(found.count), "reason": .string(reader.reason)]
        )
        statements += [entry].statements(in: .platform, at: clock.now())
        let all = statements
        try await pool.transact { _ in Closing((), last: all) }
        guard isPermitted else { throw DataProtectionProblem.notPermitted([type.name]) }
        return found
    }

    private func note(_ types: [DataType], of user: ID<User>, by reader: StaffReader, _ outcome: String) -> SQL {
        let (id, from): (ID<StaffReader>, Requester) = (ids.next(), reader.requester)
        return """
            insert into platform.data_access_log (id, user_id, reader, roles, data_types, outcome, reason, ip,
                user_agent, session, correlation, recorded_at)
            values (\(id), \(user), \(reader.user), \(from.roles), \(types.map(\.name)), \(outcome),
                \(reader.reason), \(from.ip), \(from.userAgent), \(from.session), \(from.correlation), \(clock.now()))
            """
    }
}

public import Kernel
public import PostgreSQL

/// The versions of the rules: table `compliance_rule_sets`.
public struct RuleSets: Sendable {
    /// What a version is used for.
    public enum Status: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// Nothing yet.
        case draft
        /// It is asked beside the active one, and decides nothing.
        case shadow
        /// It decides.
        case active
        /// It decided once, or was tried.
        case retired
    }

    private let pool: Pool
    private let clock: any WallClock

    /// The versions; `pool` is the platform's.
    public init(pool: Pool, clock: any WallClock) { (self.pool, self.clock) = (pool, clock) }

    /// Keeps parameters as the next version, which is used for nothing yet.
    ///
    /// - Throws: what the pool throws.
    public func draft(_ parameters: PolicyParameters, reason: String, by actor: String) async throws -> Int {
        try await pool.withTransaction { transaction in
            _ = try await transaction.query("select pg_advisory_xact_lock(hashtext('platform.compliance_rule_sets'))")
            let row = try await transaction.query(
                """
                insert into platform.compliance_rule_sets (version, status, parameters, reason, created_by, created_at)
                select coalesce(max(version), 0) + 1, 'draft', \(parameters.json), \(reason), \(actor), \(clock.now())
                from platform.compliance_rule_sets
                returning version
                """
            )[0]
            return try row["version"]
        }
    }

    /// Uses a version: in place of the one that is used so, which is retired.
    ///
    /// - Throws: 404 for a version that isn't there, or what the pool throws.
    public func use(_ version: Int, as status: Status) async throws {
        try await pool.withTransaction { transaction in try await use(version, as: status, in: transaction) }
    }

    /// The same in a transaction of the caller's on the platform's pool.
    ///
    /// - Throws: as `use(_:as:)`.
    public func use(_ version: Int, as status: Status, in transaction: Transaction) async throws {
        _ = try await transaction.query("select pg_advisory_xact_lock(hashtext('platform.compliance_rule_sets'))")
        _ = try await transaction.query(
            """
            update platform.compliance_rule_sets set status = 'retired'
            where status = \(status) and version <> \(version) and status in ('active', 'shadow')
            """
        )
        let changed = try await transaction.query(
            "update platform.compliance_rule_sets set status = \(status) where version = \(version)"
        )
        guard changed.affected == 1 else { throw Problem(404, "not_found", "There is no version \(version).") }
    }

    /// Whether a version decides, which it does until the transaction ends.
    public func isActive(_ version: Int, in transaction: Transaction) async throws -> Bool {
        let rows = try await transaction.query(
            "select status from platform.compliance_rule_sets where version = \(version) for update"
        )
        return try rows.first.map { try $0["status"] == "active" } ?? false
    }

    /// The parameters of a version; nil when there is none; version 0 is the usual ones.
    public func parameters(of version: Int) async throws -> PolicyParameters? {
        if version == 0 { return PolicyParameters() }
        let row = try await pool.query(
            "select parameters from platform.compliance_rule_sets where version = \(version)"
        ).first
        return try row.map { try PolicyParameters(json: try $0["parameters"]) }
    }
}

public import Kernel
public import PostgreSQL

/// Reads accounts, for operators.
public struct AccountDirectory: Sendable {
    /// An account with what it holds.
    public struct Found: Sendable {
        /// Its id.
        public let id: ID<LedgerAccount>
        /// The customer's id, or `AccountKey.house`.
        public let owner: UInt128
        /// What it is.
        public let kind: String
        /// All of it, held or not; below zero only where it may go negative.
        public let posted: Money
        /// What active reservations hold, whether or not their time is over.
        public let reserved: Money
        /// Why outgoing money is stopped; nil when it isn't.
        public let frozenBecause: String?
        /// How many entries it has.
        public let version: Int64
    }

    /// Accounts of one answer at most.
    public static let listMax = 1_000

    private let schema: Schema
    private let pool: Pool

    /// The accounts of a schema.
    public init(schema: Schema, pool: Pool) { (self.schema, self.pool) = (schema, pool) }

    /// Accounts by id after one, of an owner or of all; at most `limit`, which is bounded by `listMax`.
    public func list(
        of owner: UInt128? = nil,
        after id: ID<LedgerAccount>? = nil,
        limit: Int = 100
    ) async throws -> [Found] {
        try await pool.query(
            """
            select \(columns) from \(schema).ledger_accounts
            where (\(owner)::uuid is null or owner = \(owner)) and id > \(id ?? ID(0))
            order by id limit \(min(max(limit, 1), AccountDirectory.listMax))
            """
        ).map(found)
    }

    /// An account.
    ///
    /// - Throws: 404.
    public func find(_ id: ID<LedgerAccount>) async throws -> Found {
        let rows = try await pool.query("select \(columns) from \(schema).ledger_accounts where id = \(id)")
        guard let row = rows.first else { throw Problem(404, "not_found", "There is no account \(id.wire).") }
        return try found(row)
    }

    private var columns: SQL { "id, owner, kind, asset, posted, reserved, frozen_because, version" }

    private func found(_ row: Row) throws -> Found {
        let code: String = try row["asset"]
        guard let asset = Asset(code: code) else { throw LedgerFault.unknownAsset(code) }
        return Found(
            id: try row["id"],
            owner: try row["owner"],
            kind: try row["kind"],
            posted: Money(minorUnits: try row["posted"], asset),
            reserved: Money(minorUnits: try row["reserved"], asset),
            frozenBecause: try row["frozen_because"],
            version: try row["version"]
        )
    }
}

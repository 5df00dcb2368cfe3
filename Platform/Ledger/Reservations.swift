public import Kernel
public import PostgreSQL

/// Reads reservations, for operators.
public struct Reservations: Sendable {
    /// A reservation with the asset of what it holds.
    public struct Found: Sendable {
        /// The reservation.
        public let state: ReservationState
        /// What it still holds.
        public let held: Money

        /// When it ends by itself, for people.
        public var expiry: String { state.expiresAt?.description ?? "never" }
    }

    /// Reservations of one answer at most.
    public static let listMax = 1_000

    private let schema: Schema
    private let pool: Pool

    /// The reservations of a schema.
    public init(schema: Schema, pool: Pool) { (self.schema, self.pool) = (schema, pool) }

    /// Active reservations, those that end first first.
    public func active(limit: Int) async throws -> [Found] {
        try await pool.query(
            """
            select \(columns) from \(schema).reservations r join \(schema).ledger_accounts a on a.id = r.account
            where r.state = 'active' order by r.expires_at nulls last, r.id limit \(min(limit, Reservations.listMax))
            """
        ).map(found)
    }

    /// A reservation.
    ///
    /// - Throws: 404.
    public func find(_ id: ID<Reservation>) async throws -> Found {
        let rows = try await pool.query(
            """
            select \(columns) from \(schema).reservations r join \(schema).ledger_accounts a on a.id = r.account
            where r.id = \(id)
            """
        )
        guard let row = rows.first else { throw Problem(404, "not_found", "There is no reservation \(id.wire).") }
        return try found(row)
    }

    private var columns: SQL {
        """
        r.id, r.account, r.operation, r.kind, r.amount, r.captured, r.state, r.expires_at, r.created_at, r.ended_at,
        r.reason, r.quote, r.settled_by, a.asset
        """
    }

    private func found(_ row: Row) throws -> Found {
        let (state, code): (ReservationState, String) = (try ReservationRow.read(row), try row["asset"])
        guard let asset = Asset(code: code) else { throw LedgerFault.unknownAsset(code) }
        return Found(state: state, held: Money(minorUnits: state.held, asset))
    }
}

extension Reservations.Found {
    /// The reservation for programs.
    public var json: JSON {
        [
            "id": .string(state.id.wire), "account": .string(state.account.wire), "kind": .string(state.kind),
            "state": .string(state.phase.rawValue), "asset": .string(held.asset.code), "held": .string(held.wire),
            "captured": .string(Money(minorUnits: state.captured, held.asset).wire),
            "created_at": .string(state.createdAt.description),
            "expires_at": state.expiresAt.map { .string($0.description) } ?? .null,
            "ended_at": state.endedAt.map { .string($0.description) } ?? .null,
            "reason": state.reason.map { .string($0) } ?? .null,
        ]
    }
}

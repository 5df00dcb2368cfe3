import Kernel
import PostgreSQL
import Synchronization

/// The most that an account without limits of its own may do of one kind of operation, in minor units.
struct Limit: Sendable, Hashable {
    let perTransaction: Int128
    let perDay: Int128
    let perMonth: Int128
}

/// The limits of operations; read from the database and remembered for a while.
final class Limits: Sendable {
    private struct Key: Hashable {
        let operation: BankTransaction.Kind
        let asset: Asset
    }

    private struct Memory {
        var limits: [Key: Limit] = [:]
        var readAt: Timestamp?
    }

    private static let ageMaxSeconds: Double = 30

    private let schema: Schema
    private let pool: Pool
    private let clock: any WallClock
    private let memory = Mutex(Memory())

    init(schema: Schema, pool: Pool, clock: any WallClock) {
        (self.schema, self.pool, self.clock) = (schema, pool, clock)
    }

    /// The limit that holds for every account without one of its own.
    ///
    /// - Throws: 422 `asset_not_supported` for an asset that Banking doesn't have.
    func limit(_ operation: BankTransaction.Kind, _ asset: Asset) async throws -> Limit {
        if let known = remembered(Key(operation: operation, asset: asset)) { return known }
        var limits: [Key: Limit] = [:]
        let rows = try await pool.query(
            "select operation, asset, per_transaction, per_day, per_month from \(schema).limits"
        )
        for row in rows {
            guard let asset = Asset(code: try row["asset"]) else { continue }
            limits[Key(operation: try row["operation"], asset: asset)] = Limit(
                perTransaction: try row["per_transaction"],
                perDay: try row["per_day"],
                perMonth: try row["per_month"]
            )
        }
        let read = limits
        memory.withLock { $0 = Memory(limits: read, readAt: clock.now()) }
        guard let limit = limits[Key(operation: operation, asset: asset)] else {
            throw Problem(422, "asset_not_supported", "Banking doesn't hold \(asset.code).")
        }
        return limit
    }

    private func remembered(_ key: Key) -> Limit? {
        memory.withLock { memory in
            guard let readAt = memory.readAt, clock.now().secondsSince(readAt) < Limits.ageMaxSeconds else {
                return nil
            }
            return memory.limits[key]
        }
    }
}

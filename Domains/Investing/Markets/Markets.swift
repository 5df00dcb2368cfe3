import Kernel
import PostgreSQL
import Synchronization

/// The markets, remembered for a moment: they hardly ever change.
final class Markets: Sendable {
    /// How old what is remembered may be.
    private static let ageMaxSeconds = 5.0
    /// How old it may be when a market isn't among what is remembered.
    private static let missAgeMaxSeconds = 0.5

    private let schema: Schema
    private let pool: Pool
    private let clock: any WallClock
    private let remembered = Mutex<(at: Timestamp, markets: [StoredMarket])?>(nil)

    init(schema: Schema, pool: Pool, clock: any WallClock) {
        (self.schema, self.pool, self.clock) = (schema, pool, clock)
    }

    /// All markets, in the order of their numbers.
    func all() async throws -> [StoredMarket] { try await all(ageMaxSeconds: Markets.ageMaxSeconds) }

    private func all(ageMaxSeconds: Double) async throws -> [StoredMarket] {
        let now = clock.now()
        if let known = remembered.withLock({ $0 }), now.secondsSince(known.at) < ageMaxSeconds {
            return known.markets
        }
        let markets = try await pool.query(StoredMarket.all(in: schema)).map { try StoredMarket($0) }
        remembered.withLock { $0 = (now, markets) }
        return markets
    }

    /// The market with a symbol.
    ///
    /// - Throws: 404 `market_not_found`.
    func market(_ symbol: String) async throws -> StoredMarket {
        if let found = try await all().first(where: { $0.market.symbol == symbol }) { return found }
        // It may have been opened a moment ago.
        let fresh = try await all(ageMaxSeconds: Markets.missAgeMaxSeconds)
        guard let found = fresh.first(where: { $0.market.symbol == symbol }) else {
            throw Problem(404, "market_not_found", "There is no market \(symbol). List the markets.")
        }
        return found
    }

    /// The markets that stored rows name, by number, also those that opened a moment ago.
    func numbered(_ wanted: [Int]) async throws -> [Int: Market] {
        let known = try await all()
        let missing = Set(wanted).subtracting(known.map(\.market.id))
        let found = missing.isEmpty ? known : try await all(ageMaxSeconds: 0)
        return Dictionary(found.map { ($0.market.id, $0.market) }) { first, _ in first }
    }
}

public import Logging
public import PostgreSQL
public import ServiceLifecycle
import Kernel

/// Screens customers who have a name and weren't screened under it yet, in the background.
///
/// What it finds becomes a case, which holds the customer's outgoing money; who can't be screened is tried again.
public struct ScreeningSweep: Service {
    /// Customers of one round.
    static let customersMax = 200
    /// Between two rounds that found nobody.
    static let pauseSeconds = 10.0

    private let pool: Pool
    private let screening: CustomerScreening
    private let logger: Logger

    /// A sweep; `pool` is the platform's.
    public init(pool: Pool, screening: CustomerScreening, logger: Logger) {
        (self.pool, self.screening, self.logger) = (pool, screening, logger)
    }

    /// Sweeps until a graceful shutdown or cancellation.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await sweepOnce() == ScreeningSweep.customersMax { continue }
                } catch {
                    logger.warning("customers not screened; tried again", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(ScreeningSweep.pauseSeconds))
            }
        }
    }

    /// Screens a set of customers, and answers with how many.
    ///
    /// - Throws: what the pool throws.
    public func sweepOnce() async throws -> Int {
        let rows = try await pool.query(
            """
            select person.id, person.name
            from platform.users person
            left join platform.screening_subjects subject on subject.user_id = person.id
            where person.name is not null and person.status <> 'closed'
            and subject.name is distinct from person.name
            order by person.id
            limit \(ScreeningSweep.customersMax)
            """
        )
        var screened = 0
        for row in rows {
            let user: ID<User> = try row["id"]
            do {
                try await screening.screen(user, name: try row["name"])
                screened += 1
            } catch let error as ScreeningError {
                logger.warning(
                    "a customer can't be screened by name",
                    metadata: ["user": "\(user.wire)", "error": "\(error)"]
                )
            }
        }
        return screened
    }
}

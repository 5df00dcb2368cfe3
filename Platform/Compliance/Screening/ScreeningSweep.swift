public import Logging
public import PostgreSQL
public import ServiceLifecycle
public import Kernel
public import Screening

/// Screens customers who have a name and weren't screened under it yet, or whose birth or nationality changed since.
///
/// What it finds becomes a case, which holds the customer's outgoing money; whom nothing can be read of is tried again.
public struct ScreeningSweep: Service {
    /// Customers of one round.
    static let customersMax = 200
    /// Between two rounds that found nobody.
    static let pauseSeconds = 10.0

    private let pool: Pool
    private let screening: CustomerScreening
    private let details: Details
    private let logger: Logger

    /// Reads what is known of a customer besides the name: birth, and countries by ISO 3166-1 alpha-2.
    public typealias Details = @Sendable (ID<User>) async throws -> (birth: BirthDate?, countries: Set<String>)

    /// A sweep; `pool` is the platform's.
    public init(
        pool: Pool,
        screening: CustomerScreening,
        logger: Logger,
        details: @escaping Details = { _ in (nil, []) }
    ) {
        (self.pool, self.screening, self.details, self.logger) = (pool, screening, details, logger)
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
            select person.id, coalesce(person.applied_name, person.name) as name
            from platform.users person
            left join platform.screening_subjects subject on subject.user_id = person.id
            where coalesce(person.applied_name, person.name) is not null and person.status <> 'closed'
            and (
                subject.name is distinct from coalesce(person.applied_name, person.name)
                or exists (
                    select from platform.encrypted_user_data known
                    where known.user_id = person.id and known.updated_at > subject.screened_at
                    and known.data_type in ('profile.birth_date', 'profile.nationality')
                )
            )
            order by person.id
            limit \(ScreeningSweep.customersMax)
            """
        )
        var screened = 0
        for row in rows {
            let user: ID<User> = try row["id"]
            do {
                let known = try await details(user)
                try await screening.screen(user, name: try row["name"], birth: known.birth, countries: known.countries)
                screened += 1
            } catch {
                try Task.checkCancellation()
                // One customer whose data can't be read doesn't keep the others from being screened.
                logger.warning(
                    "a customer isn't screened; tried again",
                    metadata: ["user": "\(user.wire)", "error": "\(error)"]
                )
            }
        }
        return screened
    }
}

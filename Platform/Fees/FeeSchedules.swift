public import Kernel
public import PostgreSQL

/// The stored fee schedules: table `fee_schedules`, written by publishing and closing only.
public struct FeeSchedules: Sendable {
    private let pool: Pool
    private let schema: Schema

    /// The most schedules that are read at once, closed versions included.
    public static let schedulesMax = 10_000

    /// The schedules in a schema, through a pool whose role may read it, and write it to publish.
    public init(_ pool: Pool, schema: Schema = .platform) { (self.pool, self.schema) = (pool, schema) }

    /// Every version, past and future ones included.
    ///
    /// - Throws: `FeeSchedulesError.damaged` for a row that isn't what was published, or what the pool throws.
    public func catalog() async throws -> FeeCatalog { try FeeCatalog(try await all()) }

    /// Every version by operation, asset and version, past and future ones included.
    ///
    /// - Throws: as `catalog()`.
    public func all() async throws -> [FeeSchedule] {
        let rows = try await pool.query(
            """
            \(columns)
            order by schedule.operation, schedule.asset, schedule.version
            limit \(FeeSchedules.schedulesMax)
            """
        )
        return try rows.map(read)
    }

    /// The schedule with that id; nil when there is none.
    ///
    /// - Throws: as `catalog()`.
    public func find(_ id: ID<FeeSchedule>) async throws -> FeeSchedule? {
        try await pool.query("\(columns) where schedule.id = \(id)").first.map(read)
    }

    /// Stores a new version and, in the same transaction, ends the open one before it where the new one begins.
    ///
    /// `rows` are stored with it, as the audit log's entry. A dry run does all of it and takes it back.
    ///
    /// - Throws: a `FeeSchedulesError`, or what the pool throws; nothing was stored then.
    public func publish(
        _ schedule: FeeSchedule,
        with rows: [any StoredRow] = [],
        dryRun: Bool = false
    ) async throws {
        struct TakenBack: Error {}
        do {
            try await pool.withTransaction { transaction in
                try await publish(schedule, in: transaction)
                try await store(rows, in: transaction)
                if dryRun { throw TakenBack() }
            }
        } catch is TakenBack {
            return
        } catch let error as PostgresError {
            throw FeeSchedulesError(error, schedule.id) ?? error
        }
    }

    /// The same within a transaction of the caller's, which maps what goes wrong with `FeeSchedulesError.init`.
    public func publish(_ schedule: FeeSchedule, in transaction: Transaction) async throws {
        do {
            try await closePredecessor(of: schedule, in: transaction)
            try await insert(schedule, in: transaction)
        } catch let error as PostgresError {
            throw FeeSchedulesError(error, schedule.id) ?? error
        }
    }

    /// Ends an open schedule with nothing after it: at an instant that isn't past, or at once for nil.
    ///
    /// `rows` are stored with it, as the audit log's entry.
    ///
    /// - Returns: when it ends.
    /// - Throws: `FeeSchedulesError.notOpen`, `.endsInThePast`, or what the pool throws; nothing was stored then.
    @discardableResult
    public func close(
        _ id: ID<FeeSchedule>,
        at instant: Timestamp? = nil,
        with rows: [any StoredRow] = []
    ) async throws -> Timestamp {
        let end = FeeScheduleEnd(of: id, at: instant)
        do {
            return try await pool.withTransaction { transaction in
                let instant = try await close(end, in: transaction)
                try await store(rows, in: transaction)
                return instant
            }
        } catch let error as PostgresError {
            throw FeeSchedulesError(error, id) ?? error
        }
    }

    /// Does all of it and takes it back, to say whether it could be done now.
    ///
    /// - Throws: as `close`.
    public func check(_ end: FeeScheduleEnd) async throws {
        struct TakenBack: Error {}
        do {
            try await pool.withTransaction { transaction in
                _ = try await close(end, in: transaction)
                throw TakenBack()
            }
        } catch is TakenBack {
            return
        }
    }

    /// The same within a transaction of the caller's.
    @discardableResult
    public func close(_ end: FeeScheduleEnd, in transaction: Transaction) async throws -> Timestamp {
        do {
            guard let row = try await transaction.query(update(end)).first else {
                throw FeeSchedulesError.notOpen(end.id)
            }
            return try row[0]
        } catch let error as PostgresError {
            throw FeeSchedulesError(error, end.id) ?? error
        }
    }

    private func update(_ end: FeeScheduleEnd) -> SQL {
        """
        update \(schema).fee_schedules
        set effective = tstzrange(lower(effective), coalesce(\(end.instant), now()), '[)')
        where id = \(end.id)
        and upper_inf(effective)
        and lower(effective) < coalesce(\(end.instant), now())
        returning upper(effective)
        """
    }

    private func store(_ rows: [any StoredRow], in transaction: Transaction) async throws {
        guard !rows.isEmpty else { return }
        let now: Timestamp = try await transaction.query("select clock_timestamp()")[0][0]
        _ = try await transaction.pipeline(rows.statements(in: schema, at: now))
    }

    private func closePredecessor(of schedule: FeeSchedule, in transaction: Transaction) async throws {
        // The lock on the latest version lines publishers up; of two first versions the constraints let one through.
        let latest = try await transaction.query(
            """
            select version, id, upper_inf(effective) and lower(effective) < \(schedule.effectiveFrom) as ends
            from \(schema).fee_schedules
            where operation = \(schedule.operation)
            and asset = \(schedule.asset.code)
            order by version desc
            limit 1
            for update
            """
        ).first
        let version: Int = try latest?["version"] ?? 0
        guard schedule.version == version + 1 else {
            throw FeeSchedulesError.versionNotNext(found: schedule.version, next: version + 1)
        }
        guard let latest, try latest["ends"] as Bool else { return }
        let id: ID<FeeSchedule> = try latest["id"]
        _ = try await transaction.query(
            """
            update \(schema).fee_schedules
            set effective = tstzrange(lower(effective), \(schedule.effectiveFrom), '[)')
            where id = \(id)
            """
        )
    }

    private func insert(_ schedule: FeeSchedule, in transaction: Transaction) async throws {
        _ = try await transaction.query(
            """
            insert into \(schema).fee_schedules (id, operation, asset, version, effective, allow_exceed, rules)
            values (
                \(schedule.id), \(schedule.operation), \(schedule.asset.code), \(schedule.version),
                tstzrange(\(schedule.effectiveFrom), \(schedule.effectiveTo as Timestamp?), '[)'),
                \(schedule.allowExceed),
                \(JSON.array(schedule.rules.map(\.json)))
            )
            """
        )
    }

    private var columns: SQL {
        """
        select schedule.id, schedule.operation, schedule.asset, schedule.version,
            lower(schedule.effective) as effective_from, upper(schedule.effective) as effective_to,
            schedule.allow_exceed, schedule.rules,
            schedule.checksum = \(schema).fee_schedule_checksum(schedule) as is_intact
        from \(schema).fee_schedules schedule
        """
    }

    private func read(_ row: Row) throws -> FeeSchedule {
        let id: ID<FeeSchedule> = try row["id"]
        let isIntact: Bool = try row["is_intact"]
        guard isIntact, let asset = Asset(code: try row["asset"]) else { throw FeeSchedulesError.damaged(id) }
        do {
            return try FeeSchedule(
                id: id,
                version: try row["version"],
                operation: try row["operation"],
                asset: asset,
                effectiveFrom: try row["effective_from"],
                effectiveTo: try row["effective_to"],
                allowExceed: try row["allow_exceed"],
                rules: try FeeSchedule.rules(json: try row["rules"], asset: asset)
            )
        } catch is FeeScheduleError {
            throw FeeSchedulesError.damaged(id)
        }
    }
}

/// The end of an open schedule with nothing after it.
///
/// It is an object, so that what is awaited carries one reference.
public final class FeeScheduleEnd: Sendable {
    let id: ID<FeeSchedule>
    let instant: Timestamp?

    /// An end at an instant that isn't past, or at once for nil.
    public init(of id: ID<FeeSchedule>, at instant: Timestamp?) { (self.id, self.instant) = (id, instant) }
}

public import Kernel
public import PostgreSQL
public import Screening

/// The stored lists: tables `sanctions_*`, written by loading a version alone.
public struct SanctionsLists: Sendable {
    /// Of a hundred entries, how many may vanish from one version to the next.
    public static let vanishedPercentMax = 5
    /// Entries that are stored by one statement.
    private static let entriesPerStatement = 500

    private let pool: Pool
    private let ids: IDGenerator
    private let clock: any WallClock

    /// The lists; `pool` is the platform's.
    public init(pool: Pool, ids: IDGenerator, clock: any WallClock) {
        (self.pool, self.ids, self.clock) = (pool, ids, clock)
    }

    /// What loading a version did.
    public struct Report: Sendable, Hashable {
        /// The version, counted by source; the one in force where nothing was new.
        public let version: Int
        /// Entries in force.
        public let entries: Int
        /// Names in force.
        public let names: Int
        /// Entries that weren't there before.
        public let added: Int
        /// Entries that say something else, or are called something else.
        public let changed: Int
        /// Entries that are gone.
        public let vanished: Int
        /// Rows that weren't used.
        public let rejected: Int
        /// Whether the very same files are in force already; nothing was stored then.
        public let isSame: Bool
        /// The entries that were added or changed: what `ListSweep` compares customers with.
        public let touched: [ID<SanctionsEntry>]
    }

    /// Puts a version in force in place of the one before, or changes nothing.
    ///
    /// What isn't different keeps its id; what is waits, from the same transaction on, to be compared with customers.
    /// One load of a source at a time; readers see the old version until the end.
    ///
    /// - Throws: `SanctionsListError` for a list that isn't to be trusted, or what the pool throws.
    public func load(
        _ list: ReadList,
        of source: SanctionsSource,
        checksum: [UInt8],
        by actor: String
    ) async throws -> Report {
        guard !list.parties.isEmpty else { throw SanctionsListError.empty(rejected: list.rejected) }
        let now = clock.now()
        return try await pool.withTransaction { transaction in
            _ = try await transaction.query(
                "select pg_advisory_xact_lock(hashtext('platform.sanctions_lists'), hashtext(\(source.rawValue)))"
            )
            let latest = try await transaction.query(
                """
                select version, checksum from platform.sanctions_lists
                where source = \(source) order by version desc limit 1
                """
            ).first
            let version: Int = try latest?["version"] ?? 0
            let present = try await present(source, in: transaction)
            if let latest, try latest["checksum"] == Bytes(checksum) {
                return report(SanctionsUpdate(from: [], to: []), list, version: version, isSame: true)
            }
            let update = SanctionsUpdate(from: present, to: list.parties)
            guard update.vanished * 100 <= present.count * SanctionsLists.vanishedPercentMax else {
                throw SanctionsListError.tooManyVanished(update.vanished, of: present.count)
            }
            let result = report(update, list, version: version + 1, isSame: false)
            try await keep(result, list, source, checksum, actor, now, in: transaction)
            try await close(update.closed, source, result.version, in: transaction)
            let touched = try await insert(update.added + update.changed, source, result.version, in: transaction)
            _ = try await transaction.pipeline([
                """
                insert into platform.screening_queue (entry, queued_at, due_at)
                select entry, \(now), \(now) from unnest(\(touched)) as e(entry)
                """,
                // Last: whoever is screened meanwhile is kept before this version is there, or is screened anew.
                "select pg_advisory_xact_lock(hashtext('platform.screening_subjects'))",
            ])
            return report(update, list, version: result.version, isSame: false, touched: touched)
        }
    }

    /// The versions of all sources, the newest first.
    public func versions(limit: Int = 50) async throws -> [JSON] {
        let rows = try await pool.query(
            """
            select source, version, encode(checksum, 'hex') as checksum, published, entries, names, added, changed,
                vanished, rejected, faults, loaded_by, loaded_at
            from platform.sanctions_lists
            order by loaded_at desc, source, version desc
            limit \(min(max(limit, 1), 1_000))
            """
        )
        return try rows.map { row in
            [
                "source": .string(try row["source"]), "version": .integer(try row["version"] as Int),
                "checksum": .string(try row["checksum"]),
                "published": (try row["published"] as String?).map(JSON.string) ?? .null,
                "entries": .integer(try row["entries"] as Int), "names": .integer(try row["names"] as Int),
                "added": .integer(try row["added"] as Int), "changed": .integer(try row["changed"] as Int),
                "vanished": .integer(try row["vanished"] as Int), "rejected": .integer(try row["rejected"] as Int),
                "faults": try row["faults"], "loaded_by": .string(try row["loaded_by"]),
                "loaded_at": .string((try row["loaded_at"] as Timestamp).description),
            ]
        }
    }

    private func report(
        _ update: SanctionsUpdate,
        _ list: ReadList,
        version: Int,
        isSame: Bool,
        touched: [ID<SanctionsEntry>] = []
    ) -> Report {
        Report(
            version: version,
            entries: list.parties.count,
            names: list.parties.reduce(0) { $0 + $1.names.count },
            added: update.added.count,
            changed: update.changed.count,
            vanished: update.vanished,
            rejected: list.rejected,
            isSame: isSame,
            touched: touched
        )
    }

    private func present(
        _ source: SanctionsSource,
        in transaction: Transaction
    ) async throws -> [SanctionsUpdate.Present] {
        let rows = try await transaction.query(
            """
            select key, former_keys, digest, kind, body #>> '{names,0,name}' as name, births, countries
            from platform.sanctions_entries
            where source = \(source) and gone_version is null
            """
        )
        return try rows.map { row in
            let (births, countries): ([String], [String]) = (try row["births"], try row["countries"])
            return SanctionsUpdate.Present(
                key: try row["key"],
                formerKeys: try row["former_keys"],
                digest: try row["digest"],
                identity: [try row["kind"], try row["name"]] + births + countries
            )
        }
    }

    private func keep(
        _ report: Report,
        _ list: ReadList,
        _ source: SanctionsSource,
        _ checksum: [UInt8],
        _ actor: String,
        _ now: Timestamp,
        in transaction: Transaction
    ) async throws {
        let faults: [JSON] = list.faults.map { ["row": .integer($0.row), "reason": .string($0.reason)] }
        let id: ID<SanctionsLists> = ids.next()
        _ = try await transaction.query(
            """
            insert into platform.sanctions_lists (id, source, version, checksum, published, entries, names, added,
                changed, vanished, rejected, faults, loaded_by, loaded_at)
            values (\(id), \(source), \(report.version), \(Bytes(checksum)), \(list.published), \(report.entries),
                \(report.names), \(report.added), \(report.changed), \(report.vanished), \(report.rejected),
                \(JSON.array(faults)), \(actor), \(now))
            """
        )
    }

    private func close(
        _ keys: [String],
        _ source: SanctionsSource,
        _ version: Int,
        in transaction: Transaction
    ) async throws {
        _ = try await transaction.pipeline([
            """
            delete from platform.sanctions_names found using platform.sanctions_entries entry
            where entry.source = \(source) and entry.gone_version is null and entry.key = any (\(keys))
            and found.entry = entry.id
            """,
            """
            delete from platform.sanctions_addresses found using platform.sanctions_entries entry
            where entry.source = \(source) and entry.gone_version is null and entry.key = any (\(keys))
            and found.entry = entry.id
            """,
            """
            update platform.sanctions_entries set gone_version = \(version)
            where source = \(source) and gone_version is null and key = any (\(keys))
            """,
        ])
    }

    private func insert(
        _ changes: [SanctionsUpdate.Change],
        _ source: SanctionsSource,
        _ version: Int,
        in transaction: Transaction
    ) async throws -> [ID<SanctionsEntry>] {
        var touched: [ID<SanctionsEntry>] = []
        for start in stride(from: 0, to: changes.count, by: SanctionsLists.entriesPerStatement) {
            let part = changes[start..<min(changes.count, start + SanctionsLists.entriesPerStatement)]
            let rows = SanctionsRows(part, ids: part.map { _ in ids.next() })
            _ = try await transaction.pipeline(rows.statements(source, version))
            touched += rows.ids
        }
        return touched
    }
}

extension SanctionsLists: Entity {
    /// `slst_…`.
    public static let idPrefix = "slst"
}

/// Why a list isn't put in force.
public enum SanctionsListError: Error, Sendable, Hashable {
    /// Nothing of it could be used.
    case empty(rejected: Int)
    /// More entries are gone than a publisher takes off at once: a list cut short, or another one.
    case tooManyVanished(Int, of: Int)
}

extension SanctionsListError: ProblemConvertible {
    /// What an operator is told.
    public var problem: Problem {
        switch self {
        case .empty(let rejected):
            Problem(422, "list_empty", "No entry of the list can be used; \(rejected) rows were refused.")
        case .tooManyVanished(let vanished, let count):
            Problem(
                422,
                "list_shrank",
                "\(vanished) of \(count) entries are gone, more than \(SanctionsLists.vanishedPercentMax) %: "
                    + "the list in force stays."
            )
        }
    }
}

/// What applying the pending migrations of a server would do, found out by doing it and rolling back.
public struct MigrationPlan: Hashable, Sendable {
    /// One pending file.
    public struct Step: Hashable, Sendable {
        /// Its path below the directory of migrations.
        public let path: String
        /// How long it took in the trial.
        public let milliseconds: Int
        /// The locks that it takes on tables and indexes that exist before the plan, and holds until its end.
        public let locks: [Lock]
        /// Why it could not be tried; nil when it was.
        public let untried: String?
    }

    /// A lock on a table or index that others use.
    public struct Lock: Hashable, Sendable {
        /// The table or index with its schema.
        public let relation: String
        /// PostgreSQL's name for the lock: `AccessExclusiveLock`.
        public let mode: String
        /// Rows in it, as estimated by the last `analyze`; -1 if there was none.
        public let rows: Int
        /// Whether the file writes the table anew, which takes time by its size while the lock is held.
        public let rewrites: Bool

        /// Whether others can't write while the file runs.
        public var blocksWriters: Bool {
            ["ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"].contains(mode)
        }

        /// Whether others can't even read.
        public var blocksReaders: Bool { mode == "AccessExclusiveLock" }
    }

    /// The pending files in the order in which they would be applied.
    public let steps: [Step]

    /// What to think of before it is applied, in whole sentences.
    public var warnings: [String] {
        steps.flatMap { step in
            step.locks.compactMap { lock in
                if lock.rewrites {
                    return
                        "\(step.path) writes \(lock.relation) anew (about \(lock.rows) rows) while nobody can read it."
                }
                guard lock.blocksWriters, lock.rows >= MigrationPlan.largeRowsMin else { return nil }
                let who = lock.blocksReaders ? "nobody can read or write" : "nobody can write"
                return
                    "\(step.path) holds \(lock.mode) on \(lock.relation) (about \(lock.rows) rows): \(who) meanwhile."
            } + (step.untried.map { ["\(step.path) was not tried: \($0)."] } ?? [])
        }
    }

    /// From this size on a table's locks are warned about.
    public static let largeRowsMin = 10_000
}

public import DataProtection
public import Kernel
public import Logging
import Metrics
public import PostgreSQL
import Screening
public import ServiceLifecycle

/// Compares what came in with versions of lists with all customers: names with names, addresses with those they keep.
///
/// It works off table `screening_queue`, which each version fills in its own transaction. An entry leaves it when all
/// customers were compared with it: what is cut off is done again, and raises nothing twice. A customer or a domain
/// that fails keeps nobody else from being compared; the entry is tried again later.
public struct ListSweep: Service {
    /// Entries of one round.
    static let entriesMax = 100
    /// Customers that are read at once.
    static let customersMax = 1_000
    /// Between two rounds that found nothing.
    static let pauseSeconds = 10.0
    /// The longest time until what failed is tried again.
    static let backoffSecondsMax = 3_600

    private let pool: Pool
    private let data: PersonalValues
    private let clock: any WallClock
    private let screening: CustomerScreening
    private let keepers: [any AddressKeeper]
    private let logger: Logger

    /// A sweep; `pool` is the platform's, `data` has what customers are screened by beside their names, `keepers` are
    /// asked for addresses.
    public init(
        pool: Pool,
        data: PersonalValues,
        ids: IDGenerator,
        clock: any WallClock,
        keepers: [any AddressKeeper],
        logger: Logger
    ) {
        (self.pool, self.data, self.clock, self.keepers, self.logger) = (pool, data, clock, keepers, logger)
        screening = CustomerScreening(pool: pool, data: data, ids: ids, clock: clock)
    }

    /// Sweeps until a graceful shutdown or cancellation.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await sweepOnce() == ListSweep.entriesMax { continue }
                } catch {
                    logger.warning("entries of lists not compared; tried again", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(ListSweep.pauseSeconds))
            }
        }
    }

    /// Compares a set of entries with all customers, and answers with how many.
    ///
    /// - Throws: what the pool throws.
    public func sweepOnce() async throws -> Int {
        let entries: [ID<SanctionsEntry>] = try await pool.query(
            """
            select entry from platform.screening_queue where due_at <= \(clock.now())
            order by due_at, entry limit \(ListSweep.entriesMax)
            """
        ).map { try $0["entry"] }
        for entry in entries {
            let isDone: Bool
            do {
                isDone = try await compare(entry)
            } catch {
                try Task.checkCancellation()
                note("an entry of a list isn't compared with all customers; tried again", entry, error)
                isDone = false
            }
            _ = try await pool.query(isDone ? ListSweep.done(entry) : ListSweep.again(entry, at: clock.now()))
        }
        try await measure()
        return entries.count
    }

    private static func done(_ entry: ID<SanctionsEntry>) -> SQL {
        "delete from platform.screening_queue where entry = \(entry)"
    }

    private static func again(_ entry: ID<SanctionsEntry>, at now: Timestamp) -> SQL {
        """
        update platform.screening_queue
        set attempts = attempts + 1, due_at = \(now)::timestamptz
            + make_interval(secs => least(10 * 2 ^ least(attempts, 10), \(ListSweep.backoffSecondsMax)::integer))
        where entry = \(entry)
        """
    }

    /// Compares an entry with all customers; false where one of them couldn't be.
    private func compare(_ id: ID<SanctionsEntry>) async throws -> Bool {
        // What is gone by now is nobody's.
        guard let listed = try await ListedEntry(id, pool: pool) else { return true }
        var faults = 0
        for name in listed.names { faults += try await compareNames(listed, name) }
        for address in listed.addresses {
            for keeper in keepers { faults += try await compareAddresses(listed, address, keeper) }
        }
        return faults == 0
    }

    /// Answers with how many customers couldn't be compared.
    private func compareNames(_ listed: ListedEntry, _ name: ListedEntry.Name) async throws -> Int {
        var (faults, after) = (0, ID<User>(0))
        while true {
            try Task.checkCancellation()
            let rows = try await candidates(name.screened, of: listed.entry, after: after)
            var found: [Found] = []
            for row in rows {
                after = try row["user_id"]
                let name: String = try row["name"]
                let alike = listed.alike(name)
                if !alike.isEmpty { found.append(Found(after, name, alike, listed)) }
            }
            // What else is known is opened of those alone whose names are alike; all at once, as a rule.
            let known = try? await data.screenedBy(found.map(\.user))
            for one in found {
                do {
                    try await compare(one, known?[one.user])
                } catch {
                    try Task.checkCancellation()
                    note(
                        "a customer isn't compared with an entry of a list; tried again",
                        listed.entry.id,
                        error,
                        one.user
                    )
                    faults += 1
                }
            }
            if rows.count < ListSweep.customersMax { return faults }
        }
    }

    /// A customer with a name like one of an entry.
    private final class Found: Sendable {
        let user: ID<User>
        let name: String
        let alike: [SanctionsScreening.Alike]
        let listed: ListedEntry

        init(_ user: ID<User>, _ name: String, _ alike: [SanctionsScreening.Alike], _ listed: ListedEntry) {
            (self.user, self.name, self.alike, self.listed) = (user, name, alike, listed)
        }
    }

    /// `known` is nil where nothing is, or where it has to be read for this customer alone.
    private func compare(_ found: Found, _ known: ScreenedBy?) async throws {
        let known = if let known { known } else { try await data.screenedBy(found.user) }
        let customer = ScreeningSubject(
            user: found.user,
            name: found.name,
            birth: known.birth,
            countries: known.countries
        )
        let hit = SanctionsScreening.hit(customer, found.listed.entry, found.alike, isDismissed: false)
        if let hit { try await screening.raise([hit], customer) }
    }

    /// Customers with a name like one of an entry, without those who were told apart from it.
    private func candidates(
        _ name: ScreenedName,
        of entry: SanctionsEntry,
        after user: ID<User>
    ) async throws -> Rows {
        try await pool.query(
            """
            select subject.user_id, subject.name
            from platform.screening_subject_candidates(\(name.keys), \(name.sounds)) candidate
            join platform.screening_subjects subject on subject.user_id = candidate.user_id
            where subject.user_id > \(user)
            and not exists (
                select from platform.screening_dismissals dismissal
                where dismissal.user_id = subject.user_id and dismissal.source = \(entry.source)
                and (dismissal.key = \(entry.key) or dismissal.key = any (\(entry.formerKeys)))
                and dismissal.digest = \(entry.digest)
            )
            order by subject.user_id
            limit \(ListSweep.customersMax)
            """
        )
    }

    private func compareAddresses(
        _ listed: ListedEntry,
        _ address: String,
        _ keeper: any AddressKeeper
    ) async throws -> Int {
        var (faults, after) = (0, ID<User>(0))
        while true {
            try Task.checkCancellation()
            let kept = try await keeper.keepers(of: address, after: after, limit: ListSweep.customersMax)
            guard let last = kept.last else { return faults }
            for found in kept where ListSweep.isAt(address, found) {
                do {
                    try await screening.raise(found, of: listed.entry)
                } catch {
                    try Task.checkCancellation()
                    note("a customer's address isn't looked at; tried again", listed.entry.id, error, found.user)
                    faults += 1
                }
            }
            after = last.user
        }
    }

    /// Base58 differs by case; hexadecimal and bech32 don't.
    private static func isAt(_ address: String, _ kept: KeptAddress) -> Bool {
        let parts = kept.account.split(separator: ":").map(String.init)
        guard let chain = parts.first, let text = parts.last else { return false }
        return WalletAddress(asset: chain, address: text)?.text == address
    }

    /// `sanctions_waiting_entries`, `sanctions_oldest_waiting_seconds`.
    private func measure() async throws {
        let row = try await pool.query(
            "select count(*) as waiting, min(queued_at) as oldest from platform.screening_queue"
        )[0]
        let (waiting, oldest): (Int, Timestamp?) = (try row["waiting"], try row["oldest"])
        Gauge(label: "sanctions_waiting_entries").record(waiting)
        Gauge(label: "sanctions_oldest_waiting_seconds")
            .record(oldest.map { max(0, clock.now().seconds - $0.seconds) } ?? 0)
    }

    private func note(
        _ message: Logger.Message,
        _ entry: ID<SanctionsEntry>,
        _ error: any Error,
        _ user: ID<User>? = nil
    ) {
        var metadata: Logger.Metadata = ["entry": "\(entry.wire)", "error": "\(error)"]
        if let user { metadata["user"] = "\(user.wire)" }
        logger.warning(message, metadata: metadata)
    }
}

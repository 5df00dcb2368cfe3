import Kernel
import PostgreSQL

/// Table `api_requests`: which signed requests were admitted, so that each is admitted once, in all processes.
///
/// PostgreSQL decides, so that it holds whatever else is away. What comes at the same time goes into one statement.
final class SignedRequests: Sendable {
    /// One try to be the first: a request that comes twice at once is two tries for one digest.
    private struct Attempt: Hashable, Sendable {
        let digest: Bytes
        let number: Int64
    }

    private let claims: GatheredReads<Attempt, Bool>

    /// Requests are kept for `lifetimeSeconds`, after which their time is refused anyway.
    init(pool: Pool, lifetimeSeconds: Int64) {
        claims = GatheredReads { attempts in
            let stored = try await pool.query(
                """
                insert into platform.api_requests (digest, attempt, expires_at)
                select digest, attempt, clock_timestamp() + make_interval(secs => \(Double(lifetimeSeconds)))
                from unnest(\(attempts.map(\.digest)), \(attempts.map(\.number))) as t (digest, attempt)
                order by digest
                on conflict (digest) do nothing
                returning digest, attempt
                """
            )
            let pairs = try stored.map { row in (Attempt(digest: try row[0], number: try row[1]), true) }
            return Dictionary(uniqueKeysWithValues: pairs)
        }
    }

    /// Whether a request, by a digest of what was signed, is here for the first time; only one caller gets true.
    func admit(_ digest: [UInt8]) async throws -> Bool {
        let attempt = Attempt(digest: Bytes(digest), number: Int64.random(in: .min ... .max))
        return try await claims.value(for: attempt) ?? false
    }

    /// Deletes at most `limit` requests whose time is over.
    static func sweep(endedBefore instant: Timestamp, limit: Int) -> SQL {
        """
        delete from platform.api_requests
        where digest in (
            select digest
            from platform.api_requests
            where expires_at < \(instant)
            limit \(limit)
            for update skip locked
        )
        """
    }
}

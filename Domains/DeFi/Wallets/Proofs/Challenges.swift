import Cryptography
import HTTP
import Kernel
import PostgreSQL
import WalletCrypto

/// Issues challenges and uses them up.
///
/// All of it is PostgreSQL's: one conditional statement decides who used a nonce, and nothing of it is in a cache.
struct Challenges: Sendable {
    /// Challenges of a user that aren't used and count; more are 429.
    static let openMax = 20
    /// 160 bits, in hexadecimal; 128 are the least.
    static let nonceBytes = 20

    let schema: Schema
    let pool: Pool
    let ids: IDGenerator
    let clock: any WallClock
    let site: ChallengeSite

    /// Issues a challenge for an account; `user` is who links it, nil for a sign-in.
    ///
    /// - Throws: 422 `form_not_possible`, 429 `too_many_challenges`.
    func issue(
        _ purpose: Challenge.Purpose,
        _ account: AccountID,
        _ form: Challenge.Form,
        for user: ID<User>?
    ) async throws -> Challenge {
        guard form == .text || account.chainID.chain == .ethereum else {
            throw Problem(422, "form_not_possible", "Structured data is signed on Ethereum only. Ask for a text.")
        }
        let (id, now) = (ids.next(Challenge.self), clock.now())
        let expiresAt = now.adding(seconds: Challenge.lifetimeSeconds)
        let nonce = Hex.encode(RandomBytes.make(Challenges.nonceBytes))
        let binding = ChallengeMessage.Binding(
            purpose: purpose,
            user: user,
            account: account,
            site: site,
            nonce: nonce,
            request: id.wire
        )
        let message = try ChallengeMessage.make(binding, form, issuedAt: now, expiresAt: expiresAt)
        let rows = try await pool.query(
            """
            insert into \(schema).wallet_challenges as c (id, nonce, purpose, user_id, account, domain, uri, form,
                message, issued_at, expires_at)
            select \(id), \(nonce), \(purpose), \(user), \(account.description), \(site.domain), \(site.uri), \(form),
                \(message), \(now), \(expiresAt)
            where \(user)::uuid is null or (select count(*) from \(schema).wallet_challenges o
                where o.user_id = \(user)::uuid and o.consumed_at is null and o.expires_at > clock_timestamp())
                < \(Challenges.openMax)
            returning \(Challenge.columns)
            """
        )
        guard let row = rows.first else {
            throw Problem(
                429,
                "too_many_challenges",
                "Too many challenges are open. Use one of them, or wait until they expire.",
                retryAfterSeconds: 60
            )
        }
        return try Challenge(row)
    }

    /// A challenge for a purpose, of a user (nil for a sign-in), used or not.
    ///
    /// - Throws: 404.
    func get(_ id: ID<Challenge>, _ purpose: Challenge.Purpose, of user: ID<User>?) async throws -> Challenge {
        let rows = try await pool.query(
            """
            select \(Challenge.columns) from \(schema).wallet_challenges c
            where c.id = \(id) and c.purpose = \(purpose) and c.user_id is not distinct from \(user)
            """
        )
        guard let row = rows.first else { throw Problem.notFound }
        return try Challenge(row)
    }

    /// Uses a challenge up, whatever comes of it; of any number at once one succeeds, by the database's word.
    ///
    /// - Throws: 409 `challenge_used`; 422 `challenge_expired`, with which it is used up as well.
    func consume(_ challenge: Challenge) async throws {
        let rows = try await pool.query(
            """
            update \(schema).wallet_challenges c set consumed_at = clock_timestamp(),
                outcome = case when c.expires_at <= clock_timestamp() then 'expired' end
            where c.id = \(challenge.id) and c.consumed_at is null
            returning c.outcome is null as counts
            """
        )
        guard let row = rows.first else {
            throw Problem(409, "challenge_used", "This challenge was used before. Ask for another one.")
        }
        guard try row["counts"] else {
            throw Problem(422, "challenge_expired", "This challenge has expired. Ask for another one.")
        }
    }

    /// The statement that notes what came of a challenge that is used up.
    func noting(_ outcome: String, _ challenge: Challenge, signature: String? = nil) -> SQL {
        """
        update \(schema).wallet_challenges set outcome = \(outcome), signature = \(signature)
        where id = \(challenge.id) and consumed_at is not null and outcome is null
        """
    }

    /// Deletes challenges that prove nothing and expired a day ago, at most `limit`.
    ///
    /// - Returns: how many.
    func sweep(limit: Int) async throws -> Int {
        try await pool.query(
            """
            delete from \(schema).wallet_challenges where id in (
                select id from \(schema).wallet_challenges
                where expires_at < clock_timestamp() - interval '1 day'
                    and (purpose = 'sign_in' or outcome is distinct from 'verified')
                order by expires_at
                limit \(limit)
                for update skip locked)
            """
        ).affected
    }
}

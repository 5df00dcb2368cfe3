import Cryptography
import Kernel
import PostgreSQL

/// A secret that is sent to an address and good once: 256 random bits, base64url, `emt_` in front.
struct EmailToken: Sendable {
    /// What it is good for.
    enum Purpose: String, Sendable, SQLEncodable {
        case verifyEmail = "verify_email"
        case resetPassword = "reset_password"

        /// How long it is good, in seconds.
        var lifetimeSeconds: Int64 {
            switch self {
            case .verifyEmail: 86_400
            case .resetPassword: 1_800
            }
        }
    }

    private static let prefix = "emt_"
    /// Characters of a token.
    static let length = prefix.utf8.count + 43

    let text: String

    /// A new one.
    init() { text = EmailToken.prefix + Base64.encodeURLSafe(RandomBytes.make(32)) }

    /// One that a client sent; nil for what can't be one.
    init?(_ text: String) {
        guard text.utf8.count == EmailToken.length, text.hasPrefix(EmailToken.prefix),
            Base64.decodeURLSafe(String(text.dropFirst(EmailToken.prefix.count))) != nil
        else { return nil }
        self.text = text
    }

    /// What is kept of it.
    private var digest: Bytes { Bytes(SHA256Digest.of(Array(text.utf8))) }

    /// Stores it in the place of a user's others of the purpose.
    func issue(_ purpose: Purpose, to user: UserRecord, at now: Timestamp) -> [SQL] {
        [
            "delete from platform.email_tokens where user_id = \(user.id) and purpose = \(purpose)",
            """
            insert into platform.email_tokens (digest, user_id, purpose, email, created_at, expires_at)
            values (\(digest), \(user.id), \(purpose), \(user.email), \(now),
                \(now.adding(seconds: purpose.lifetimeSeconds)))
            """,
        ]
    }

    /// Whose it is, by id and address, if it is good now; no row if it isn't.
    func look(_ purpose: Purpose, at now: Timestamp) -> SQL {
        """
        select user_id
        from platform.email_tokens
        where digest = \(digest) and purpose = \(purpose) and used_at is null and expires_at > \(now)
        """
    }

    /// Uses it up, if it is good and the user has the address that it was sent to; no row if not.
    func use(_ purpose: Purpose, at now: Timestamp) -> SQL {
        """
        update platform.email_tokens t
        set used_at = \(now)
        from platform.users u
        where t.digest = \(digest) and t.purpose = \(purpose) and t.used_at is null and t.expires_at > \(now)
            and u.id = t.user_id and u.email = t.email
        returning t.user_id
        """
    }
}

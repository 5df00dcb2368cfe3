public import Kernel

/// One sign-in of a user on one device, and the family of refresh tokens that follow from it.
public enum Session: Entity {
    /// `ses_…`.
    public static let idPrefix = "ses"
}

/// What a client gets for a sign-in or a refresh token.
public struct SessionTokens: Sendable {
    /// The bearer token of requests.
    public let accessToken: String
    /// Seconds until the access token doesn't count any more.
    public let expiresInSeconds: Int64
    /// What is given for the next pair, once.
    public let refreshToken: String
    /// The user that they are of.
    public let user: ID<User>
    /// The session that they are of.
    public let session: ID<Session>
}

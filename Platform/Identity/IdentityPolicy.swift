public import HTTP

/// The bounds of identity: how long things last, how often they may be tried.
public struct IdentityPolicy: Sendable {
    /// How long an access token counts, in seconds.
    ///
    /// A change of roles takes effect within it.
    public var accessTokenSeconds: Int64 = 600
    /// How long a refresh token that isn't used counts, in seconds: 14 days.
    public var refreshTokenSeconds: Int64 = 14 * 86_400
    /// How long a session lasts at most, in seconds, however often it is refreshed: 30 days.
    public var sessionSeconds: Int64 = 30 * 86_400
    /// How long a second factor that was proven in a session counts, in seconds.
    public var stepUpSeconds: Int64 = 900
    /// How far the time of a signed request may be from ours, in seconds.
    public var receiveWindowSeconds: Int64 = 30
    /// Keys of programs that a user may have.
    public var apiKeysMax = 20
    /// How long a key of a program counts at most, in days.
    public var apiKeyDaysMax = 365
    /// Sessions of one user; a sign-in beyond them ends the oldest.
    public var sessionsMax = 50
    /// How old an answer of the session cache and the user directory may be, in seconds.
    ///
    /// What this process changes counts in it at once, what another changes within this time.
    public var stalenessSeconds: Int64 = 5
    /// Registrations per address.
    public var registrationLimit = RateLimitClass("registration", quota: 30, windowSeconds: 600, scope: .address)
    /// Sign-ins per address; beside it each e-mail address has its own lockout.
    public var signInLimit = RateLimitClass("sign-in", quota: 60, windowSeconds: 60, scope: .address)
    /// Uses of refresh tokens per address.
    public var refreshLimit = RateLimitClass("refresh", quota: 300, windowSeconds: 60, scope: .address)
    /// Changes of the password and requests for verification per user.
    public var sensitiveLimit = RateLimitClass("sensitive", quota: 20, windowSeconds: 600)
    /// Whether a new user signs in only once the address is confirmed, which takes mail.
    ///
    /// Only then can a registration keep to itself that an address is taken: otherwise the sign-in after it would tell.
    public var confirmsAddresses = false
    /// Whether the built-in check decides who a user is, by the name alone: for the sandbox, where nobody is anybody.
    ///
    /// Without it there is no `POST /v1/me/verification`: users apply to be identified.
    public var verifiesByName = false
    /// When failed sign-ins lock an address, and for how long.
    public var lockout = LockoutPolicy()

    /// The standard bounds.
    public init() {}
}

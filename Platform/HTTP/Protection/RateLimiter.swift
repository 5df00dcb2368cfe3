public import Kernel

/// How often a caller may call the routes that share a class.
public struct RateLimitClass: Hashable, Sendable {
    /// Whom the class counts.
    public enum Scope: String, Sendable {
        /// The user, or the key of a program that signed; the address where there is neither.
        case principal
        /// The remote address, as against guessing of passwords.
        case address
    }

    /// Its name, as the `RateLimit` headers carry it: `"standard"`.
    public let name: String
    /// Requests per window, 1 or more.
    public let quota: Int
    /// The window in seconds, 1 or more.
    public let windowSeconds: Int
    /// Whom it counts.
    public let scope: Scope
    /// Whether each route of the class is counted for itself, or all of them together.
    public let isByRoute: Bool

    /// A class.
    ///
    /// The caller guarantees a name of letters, digits, `-` and `_`.
    public init(
        _ name: String,
        quota: Int,
        windowSeconds: Int,
        scope: Scope = .principal,
        isByRoute: Bool = false
    ) {
        precondition(quota > 0 && windowSeconds > 0, "a rate limit of nothing")
        (self.name, self.quota, self.windowSeconds, self.scope) = (name, quota, windowSeconds, scope)
        self.isByRoute = isByRoute
    }

    /// What a route has that says nothing: 6,000 a minute of each route.
    public static let standard = RateLimitClass("standard", quota: 6000, windowSeconds: 60, isByRoute: true)

    /// What all who have signed in may ask from one network, on all routes together, of each process: 60,000 a minute.
    public static let network = RateLimitClass("network", quota: 60_000, windowSeconds: 60, scope: .address)

    /// The class as one of its routes is counted: `standard.getMe`.
    func counting(_ operationID: String) -> RateLimitClass {
        guard isByRoute else { return self }
        return RateLimitClass("\(name).\(operationID)", quota: quota, windowSeconds: windowSeconds, scope: scope)
    }
}

/// What a rate limiter said.
public struct RateLimitDecision: Hashable, Sendable {
    /// Whether the request may go on.
    public let isAllowed: Bool
    /// How many more requests the caller has in this window.
    public let remaining: Int
    /// Seconds until the quota is full again, or until the next request may succeed when it was refused.
    public let resetSeconds: Int

    /// A decision.
    public init(isAllowed: Bool, remaining: Int, resetSeconds: Int) {
        (self.isAllowed, self.remaining, self.resetSeconds) = (isAllowed, remaining, resetSeconds)
    }
}

/// What counts requests.
public protocol RateLimiter: Sendable {
    /// Counts one request of `key` (a user's id or an address) in a class and says whether it may go on.
    ///
    /// It doesn't throw: a limiter whose store is away decides by itself what is right then.
    func count(_ key: String, in limitClass: RateLimitClass, at now: Timestamp) async -> RateLimitDecision
}

/// What a client may do, and the bounds within which it works.
public struct HTTPClientConfiguration: Hashable, Sendable {
    /// Whether it may talk to addresses that are not of the public internet: for tests and peers in the own network.
    public var allowPrivateAddresses = false
    /// Whether `http://` is allowed beside `https://`.
    public var allowPlainHTTP = false
    /// A file with the certificates to trust, in PEM; nil for the system's.
    public var trustedCertificatesPath: String?
    /// Seconds for resolving, connecting and TLS.
    public var connectTimeoutSeconds = 3.0
    /// Requests that may be on their way at once.
    public var requestsMax = 256
    /// Connections to one host; further requests wait for one of them.
    public var connectionsPerHostMax = 32
    /// The most bytes of a request's body.
    public var requestBytesMax = 8 << 20
    /// When a request that is safe to repeat is repeated.
    public var retry = RetryPolicy()
    /// When a host is left alone.
    public var circuit = CircuitPolicy()

    /// The defaults: https to public addresses only.
    public init() {}
}

import Crypto
public import Kernel

/// A client's key with what it was used for, and the request that came with it.
public struct IdempotencyKey: Sendable, Hashable {
    /// Digests principal, method, path and the key itself; the answer is kept under it.
    public let scope: UInt128
    /// Digests the request's body.
    let request: UInt128

    /// The key of a request; scope and body are digested with SHA-256, of which 128 bits are kept.
    public init(principal: String, method: String, path: String, key: String, body: some Sequence<UInt8>) {
        // Lengths in front keep ("ab", "c") and ("a", "bc") apart.
        let parts = [principal, method, path, key].map { "\($0.utf8.count):\($0)" }
        scope = IdempotencyKey.digest(parts.joined().utf8)
        request = IdempotencyKey.digest(body)
    }

    private static func digest(_ bytes: some Sequence<UInt8>) -> UInt128 {
        SHA256.hash(data: Array(bytes)).prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }
}

/// An operation with the same key is under way still; nothing was done.
public struct KeyInUse: Error, Sendable, ProblemConvertible {
    init() {}

    /// 409: the client may try again.
    public var problem: Problem {
        Problem(
            409,
            "idempotency_key_in_use",
            "A request with this key is being worked on. Send it again to get its answer.",
            retryAfterSeconds: 1
        )
    }
}

/// An HTTP answer as it is kept under an idempotency key.
public struct StoredAnswer: Sendable, Hashable {
    /// The HTTP status, 200 to 499.
    public let status: Int
    /// Header fields besides the usual ones: `Location`.
    public let headers: [String: String]
    /// The body.
    public let body: [UInt8]

    /// An answer.
    public init(status: Int, headers: [String: String] = [:], body: [UInt8]) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }
}

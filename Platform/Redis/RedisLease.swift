/// The right to do something that is better done once, held for a time.
///
/// It never guards money: a holder that stands still for longer than the lease acts on after another has got it, and a
/// server that restarts forgets it. What must not happen twice is fenced in PostgreSQL, in the transaction of the
/// effect.
public struct RedisLease: Sendable {
    private static let extend = RedisScript(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
        return 0
        """
    )
    private static let release = RedisScript(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """
    )

    private let client: RedisClient
    private let key: String
    /// What tells this holder from others, 128 random bits in hexadecimal.
    public let token: String

    /// Takes the lease `lease:{name}`; nil when another holds it.
    ///
    /// The caller guarantees a time of at least 1 ms. After an error it may be held by nobody until the time is over.
    public static func acquire(
        _ name: String,
        on client: RedisClient,
        seconds: Double
    ) async throws(RedisError) -> RedisLease? {
        let random = UInt128.random(in: 0...UInt128.max)
        let lease = RedisLease(client: client, key: "lease:\(name)", token: String(random, radix: 16))
        let reply = try await client.command(["SET", lease.key, lease.token, "NX", "PX", milliseconds(seconds)])
        return reply.isNull ? nil : lease
    }

    /// Holds it for that many seconds from now; false when it was lost.
    public func extend(seconds: Double) async throws(RedisError) -> Bool {
        let reply = try await RedisLease.extend.run(
            on: client,
            keys: [key],
            arguments: [token, RedisLease.milliseconds(seconds)]
        )
        return reply == .integer(1)
    }

    /// Gives it back; false when it was lost before.
    @discardableResult
    public func release() async throws(RedisError) -> Bool {
        try await RedisLease.release.run(on: client, keys: [key], arguments: [token]) == .integer(1)
    }

    private static func milliseconds(_ seconds: Double) -> Int {
        precondition(seconds >= 0.001, "a lease shorter than a millisecond")
        return Int(seconds * 1000)
    }
}

/// Values that may be lost at any time: whoever reads can make them again.
///
/// While the server is away every read is a miss and every write does nothing.
public struct RedisCache: Sendable {
    private let client: RedisClient
    private let prefix: String
    private let timeoutSeconds: Double

    /// A cache whose keys are `cache:{name}:{key}`; no answer within the timeout is a miss.
    public init(client: RedisClient, name: String, timeoutSeconds: Double = 0.1) {
        (self.client, prefix, self.timeoutSeconds) = (client, "cache:\(name):", timeoutSeconds)
    }

    /// The value of a key; nil when there is none or the server is away.
    public func get(_ key: String) async -> [UInt8]? {
        guard let reply = try? await client.command(["GET", prefix + key], timeoutSeconds: timeoutSeconds) else {
            return nil
        }
        return reply.bytes
    }

    /// Keeps a value for a time of at least a millisecond; false when the server did not confirm it.
    @discardableResult
    public func set(_ key: String, _ value: [UInt8], expiresInSeconds: Double) async -> Bool {
        let milliseconds = max(1, Int(expiresInSeconds * 1000))
        let reply = try? await client.command(
            ["SET", prefix + key, value, "PX", milliseconds],
            timeoutSeconds: timeoutSeconds
        )
        return reply == .status("OK")
    }

    /// Forgets a key; false when the server did not confirm it.
    @discardableResult
    public func remove(_ key: String) async -> Bool {
        let reply = try? await client.command(["DEL", prefix + key], timeoutSeconds: timeoutSeconds)
        return reply?.integer != nil
    }
}

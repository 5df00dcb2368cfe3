import Synchronization

/// A Lua script, sent once and then called by its digest.
public final class RedisScript: Sendable {
    private let source: String
    private let digest = Mutex<String?>(nil)

    /// A script from its source.
    public init(_ source: String) { self.source = source }

    /// Runs the script on keys and arguments and gives its result.
    ///
    /// A server that doesn't know it (the first time, or after a restart) gets the source; it is executed once in any
    /// case.
    public func run(
        on client: RedisClient,
        keys: [String],
        arguments: [any RedisArgument] = [],
        timeoutSeconds: Double? = nil
    ) async throws(RedisError) -> RedisValue {
        let tail: [any RedisArgument] = [keys.count] + keys + arguments
        let known = try await digest(from: client, timeoutSeconds)
        do {
            return try await client.command(["EVALSHA", known] + tail, timeoutSeconds: timeoutSeconds)
        } catch .refused(let refusal) where refusal.code == "NOSCRIPT" {
            return try await client.command(["EVAL", source] + tail, timeoutSeconds: timeoutSeconds)
        }
    }

    /// The digest is the same on every server, so the first answer is good for ever.
    private func digest(from client: RedisClient, _ timeoutSeconds: Double?) async throws(RedisError) -> String {
        if let known = digest.withLock({ $0 }) { return known }
        let reply = try await client.command(["SCRIPT", "LOAD", source], timeoutSeconds: timeoutSeconds)
        guard let loaded = reply.text else { throw .unexpectedReply }
        digest.withLock { $0 = loaded }
        return loaded
    }
}

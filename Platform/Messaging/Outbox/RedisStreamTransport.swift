import Kernel
public import PostgreSQL
public import Redis

/// Publishes events to the Redis stream `events:<schema>`, trimmed to about a number of entries.
///
/// An entry has the fields `id`, `type`, `subject` and `event`, the whole envelope as JSON. A script appends many
/// entries in one call, so that a call's events are appended all or not at all, whoever else shares the connection.
public struct RedisStreamTransport: EventTransport {
    /// Entries appended by one call of the script; Redis serves nobody else meanwhile (about a millisecond).
    static let eventsPerCallMax = 200
    private static let timeoutSeconds = 5.0

    private static let append = RedisScript(
        """
        for index = 2, #ARGV, 4 do
            redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'id', ARGV[index], 'type', ARGV[index + 1],
                'subject', ARGV[index + 2], 'event', ARGV[index + 3])
        end
        return (#ARGV - 1) / 4
        """
    )

    /// `redis`.
    public let name = "redis"
    /// The stream's key.
    public let stream: String
    private let client: RedisClient
    private let entriesMax: Int

    /// A transport for a schema's events; the stream keeps about `entriesMax` of them.
    public init(client: RedisClient, schema: Schema, entriesMax: Int = 1_000_000) {
        (self.client, self.entriesMax, stream) = (client, entriesMax, "events:\(schema)")
    }

    /// Appends the events to the stream.
    public func publish(_ events: [CloudEvent]) async throws(EventTransportError) {
        var start = 0
        while start < events.count {
            let end = min(start + RedisStreamTransport.eventsPerCallMax, events.count)
            var arguments: [any RedisArgument] = [entriesMax]
            for event in events[start..<end] {
                arguments += [event.id, event.type, event.subject, event.json.serialized()] as [any RedisArgument]
            }
            do {
                _ = try await RedisStreamTransport.append.run(
                    on: client,
                    keys: [stream],
                    arguments: arguments,
                    timeoutSeconds: RedisStreamTransport.timeoutSeconds
                )
            } catch .refused(let refusal) where !refusal.isPassing {
                throw .refused(refusal.message)
            } catch {
                throw .unavailable(String(describing: error))
            }
            start = end
        }
    }
}

extension RedisRefusal {
    /// Whether it is about the server's state and not about the command.
    fileprivate var isPassing: Bool {
        ["LOADING", "BUSY", "READONLY", "OOM", "MISCONF", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "NOAUTH"].contains(
            code
        )
    }
}

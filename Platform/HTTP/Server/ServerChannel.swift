import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes

/// The pipeline of a connection, Hummingbird's, and the loop over its requests, ours.
///
/// Hummingbird's own loop answers what it can't parse without a body, and reads on after a refused upload; a problem
/// document and a bounded wait were worth these few files.
struct ServerChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private let http1: HTTP1Channel
    private let api: API
    private let deadlines: Deadlines
    private let limits: APIServer.Limits
    private let trustedProxies: Int

    init(api: API, deadlines: Deadlines, limits: APIServer.Limits, trustedProxies: Int) {
        (self.api, self.deadlines, self.limits, self.trustedProxies) = (api, deadlines, limits, trustedProxies)
        http1 = HTTP1Channel(
            responder: { _, _, _ in },
            configuration: HTTP1Channel.Configuration(
                idleTimeout: .seconds(Int64(limits.idleSeconds)),
                httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                    maxHeaderFieldSize: limits.headerBytesMax,
                    maxHeaderListSize: limits.headerBytesMax,
                    maxHeaderFieldCount: limits.headerFieldsMax
                )
            )
        )
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        http1.setup(channel: channel, logger: logger)
    }

    func handle(value: Value, logger: Logger) async {
        let connection = Connection(channel: value.channel)
        deadlines.add(connection)
        defer { deadlines.remove(connection) }
        let loop = ConnectionLoop(
            api: api,
            connection: connection,
            bodySeconds: limits.bodySeconds,
            trustedProxies: trustedProxies
        )
        let executor = EventLoopExecutor(value.channel.eventLoop)
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: executor) { await loop.run(value) }
            group.addTask { await connection.untilExpired() }
            await group.next()
            group.cancelAll()
        }
    }
}

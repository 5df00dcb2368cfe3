import DepthFeed
import HTTP
@testable import Investing
import Kernel
import Logging
import Metrics
import Streams
import Synchronization
import TestSupport
import Testing

/// A writer whose commits are published on a hub, behind a server.
struct StreamStation: Sendable {
    let world: TradingWorld
    let feed: MarketFeed
    let port: Int

    /// A token is the wire form of the user's id.
    private struct Tokens: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            guard let user = ID<User>(wire: token) else { throw Problem.unauthenticated }
            return Principal(user: user, permissions: ["investing:read"])
        }
    }

    /// Runs all of it for as long as `body` runs.
    static func with(_ body: @Sendable (StreamStation) async throws -> Void) async throws {
        let outlet = StreamOutlet()
        let feed = MarketFeed(outlet)
        let tell: @Sendable (DeskBatch.Published?) -> Void = { news in
            if let news { feed.publish(news) } else { feed.forget() }
        }
        try await TradingWorld.with(onCommit: tell) { world in
            let (schema, pool) = (TradingWorld.schema, world.pool)
            let accounts = TradingAccounts(schema: schema, pool: pool, ids: world.ids, clock: SystemClock())
            let markets = Markets(schema: schema, pool: pool, clock: SystemClock())
            let streams = InvestingStreams(
                schema: schema,
                pool: pool,
                markets: markets,
                accounts: accounts,
                feed: feed,
                isWriter: { true }
            )
            let hub = StreamHub(
                streams.families,
                logger: TradingWorld.quiet,
                metrics: NOOPMetricsHandler.instance
            )
            outlet.attach(hub)
            let data = MarketData(schema: schema, pool: pool, markets: markets, clock: SystemClock(), redis: nil)
            let events = AccountEvents(schema: schema, pool: pool, accounts: accounts)
            try await serve(hub, data.routes + events.routes) { port in
                try await body(StreamStation(world: world, feed: feed, port: port))
            }
        }
    }

    private static func serve(
        _ hub: StreamHub,
        _ routes: [Route],
        _ body: (Int) async throws -> Void
    ) async throws {
        let api = API(
            routes + [hub.route()],
            description: APIDescription(title: "Streams", version: "1", text: ""),
            services: API.Services(
                authenticator: Tokens(),
                logger: TradingWorld.quiet,
                metrics: NOOPMetricsHandler.instance
            )
        )
        let (ports, announced) = AsyncStream<Int>.makeStream()
        let server = APIServer(
            api,
            at: .host("127.0.0.1", port: 0),
            logger: TradingWorld.quiet,
            onRunning: { announced.yield($0 ?? 0) }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            group.addTask { await hub.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(port)
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }

    /// A connection, as a trader's user where one is named.
    func connect(as trader: TradingWorld.Trader? = nil) async throws -> StreamClient {
        let header = trader.map { "Authorization: Bearer \($0.account.user.wire)\r\n" } ?? ""
        return StreamClient(try await WebSocketClient.connect(port: port, headers: header))
    }
}

/// A client that speaks the protocol.
struct StreamClient: Sendable {
    let socket: WebSocketClient

    init(_ socket: WebSocketClient) { self.socket = socket }

    func send(_ json: JSON) { socket.send(String(decoding: json.serialized(), as: UTF8.self)) }

    /// The next message.
    func next() async throws -> JSON {
        for await event in socket.events {
            if case .text(let text) = event { return try JSON.parse(Array(text.utf8)) }
            if case .close(_, let reason) = event { throw InvestingFault.missing("a message: \(reason)") }
        }
        throw InvestingFault.missing("a message")
    }

    /// Subscribes; the first message of the channel.
    func subscribe(_ channel: String) async throws -> JSON {
        send(["op": "subscribe", "channels": [.string(channel)]])
        let answer = try await next()
        guard answer["type"] == "ack" else { throw InvestingFault.missing("a subscription: \(answer)") }
        return try await next()
    }

    /// Follows a book until it has that number; how many updates came.
    func follow(_ book: inout LocalBook?, until last: Int64) async throws -> Int {
        var updates = 0
        while (book?.last ?? -1) < last {
            let message = try await next()
            guard let data = message["data"].flatMap({ DepthMessage($0) }) else { continue }
            if message["type"] == "snapshot" {
                book = try LocalBook(data)
            } else {
                try book?.apply(data)
                updates += 1
            }
        }
        return updates
    }
}

import HTTP
import Kernel
import Logging
import Metrics
import Redis
import ServiceLifecycle
import Streams
import Synchronization
import TestSupport
import Testing

/// A book of a market that publishes: its number, and whether this process has it.
final class Source: Sendable {
    private struct State {
        var last: Int64 = 0
        var isHere = true
        var fails = false
        var asked = 0
    }

    private struct Away: Error {}

    private let state = Mutex(State())

    var last: Int64 { state.withLock { $0.last } }
    var asked: Int { state.withLock { $0.asked } }

    func set(isHere: Bool? = nil, fails: Bool? = nil) {
        state.withLock { state in
            if let isHere { state.isHere = isHere }
            if let fails { state.fails = fails }
        }
    }

    /// Counts on by so many and publishes that on the hub, unless it is to be lost.
    func publish(_ hub: StreamHub, count: Int64 = 1, isLost: Bool = false) {
        let sequence = state.withLock { state in
            defer { state.last += count }
            return state.last + 1...state.last + count
        }
        guard !isLost else { return }
        hub.publish(["n": .integer(sequence.upperBound)], to: StreamChannelID("depth", "A"), sequence: sequence)
    }

    func snapshot(_ key: String) throws -> StreamSnapshot? {
        try state.withLock { state in
            state.asked += 1
            if state.fails { throw Away() }
            guard state.isHere, key == "A" else { return nil }
            let book: JSON = ["book": .integer(state.last)]
            return StreamSnapshot(sequence: state.last, payload: book.serialized())
        }
    }
}

/// A hub with a server.
struct Station {
    let hub: StreamHub
    let port: Int

    func connect(_ headers: String = "") async throws -> Client {
        Client(try await WebSocketClient.connect(port: port, headers: headers))
    }

    struct Tokens: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            switch token {
            case "ada": Principal(user: ID(7), permissions: ["orders:read"])
            case "bob": Principal(user: ID(8), permissions: ["orders:read"])
            case "eve": Principal(user: ID(9), permissions: [])
            default: throw Problem.unauthenticated
            }
        }
    }

    static func families(_ source: Source, ring: StreamFamily.Ring = .small) -> [StreamFamily] {
        [
            .open("depth", opening: .snapshot { try source.snapshot($0) }, ring: ring) { $0 == "A" },
            .open("trades", opening: .nothing, ring: ring) { $0.count == 1 },
            .open("ticker", opening: .last) { $0 == "A" },
            .personal("orders", opening: .nothing, access: .permission("orders:read")),
        ]
    }

    /// Runs a hub and its server for as long as `body` runs.
    static func with(
        _ families: [StreamFamily],
        relay: (any StreamRelay)? = nil,
        limits change: (inout StreamHub.Limits) -> Void = { _ in },
        _ body: (Station) async throws -> Void
    ) async throws {
        var quiet = Logger(label: "test")
        quiet.logLevel = .error
        var limits = StreamHub.Limits()
        limits.connection.connectionsPerAddressMax = 2_000
        limits.retrySeconds = 0.05
        change(&limits)
        let hub = StreamHub(
            families,
            relay: relay,
            limits: limits,
            logger: quiet,
            metrics: NOOPMetricsHandler.instance
        )
        let api = API(
            [hub.route()],
            description: APIDescription(title: "Streams", version: "1", text: ""),
            services: API.Services(authenticator: Tokens(), logger: quiet, metrics: NOOPMetricsHandler.instance)
        )
        let (ports, announced) = AsyncStream<Int>.makeStream()
        let server = APIServer(
            api,
            at: .host("127.0.0.1", port: 0),
            logger: quiet,
            onRunning: { announced.yield($0 ?? 0) }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await server.run()
                    if !Task.isCancelled { Issue.record("the server ended by itself") }
                } catch {
                    if !Task.isCancelled { Issue.record(error) }
                    throw error
                }
            }
            group.addTask { await hub.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(Station(hub: hub, port: port))
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }
}

/// A client that speaks the protocol.
final class Client: Sendable {
    let socket: WebSocketClient

    init(_ socket: WebSocketClient) { self.socket = socket }

    func send(_ json: JSON) { socket.send(String(decoding: json.serialized(), as: UTF8.self)) }

    /// The next message; the reason of the end where there is none.
    func next() async throws -> JSON {
        for await event in socket.events {
            switch event {
            case .text(let text): return try JSON.parse(Array(text.utf8))
            case .close(let code, let reason): return ["closed": .integer(code ?? 0), "reason": .string(reason)]
            case .ping, .pong: continue
            }
        }
        return "gone"
    }

    /// The next message in short: `snapshot depth:A 7`.
    func brief() async throws -> String {
        let json = try await next()
        if let code = json["code"]?.stringValue { return "error \(code)" }
        if let closed = json["closed"]?.integerValue { return "closed \(closed) \(json["reason"]?.stringValue ?? "")" }
        let type = json["type"]?.stringValue ?? "?"
        let sequence = json["seq"]?.integerValue.map { " \($0)" } ?? ""
        return type + " " + (json["channel"]?.stringValue ?? json["op"]?.stringValue ?? "?") + sequence
    }

    func subscribe(_ channels: String...) async throws -> String {
        send(["op": "subscribe", "channels": .array(channels.map { .string($0) })])
        return try await brief()
    }
}

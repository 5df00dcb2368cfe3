import DepthFeed
import Kernel
import Synchronization
import TestSupport

/// A client of the stream that keeps what it hears, from its subscription on.
final class StreamFollower: Sendable {
    /// What it heard so far.
    struct Heard: Sendable {
        var book: LocalBook?
        var snapshots = 0
        /// Data of the other channels, by channel, in their order.
        var data: [String: [JSON]] = [:]
        /// Updates of each channel.
        var updates: [String: Int] = [:]
        /// What must not be: gaps, wrong checksums, closed connections.
        var faults: [String] = []
        fileprivate var numbers: [String: Int] = [:]
    }

    private let socket: WebSocketClient
    private let state = Mutex(Heard())

    private init(_ socket: WebSocketClient) { self.socket = socket }

    /// Subscribes to channels at a process; what it says goes on being heard by `listen`.
    static func subscribe(to channels: [String], at server: RunningServer) async throws -> StreamFollower {
        let follower = StreamFollower(try await WebSocketClient.connect(port: server.port))
        let request: JSON = ["op": "subscribe", "channels": .array(channels.map { .string($0) })]
        follower.socket.send(String(decoding: request.serialized(), as: UTF8.self))
        return follower
    }

    var heard: Heard { state.withLock { $0 } }

    /// Takes in what comes until the connection is closed.
    func listen() async {
        for await event in socket.events {
            switch event {
            case .text(let text):
                state.withLock { heard in
                    do { try heard.take(JSON.parse(Array(text.utf8), limits: JSON.Limits(bytesMax: 16_777_216))) } catch
                    {
                        heard.faults.append("\(error)")
                    }
                }
            case .close(let code, let reason):
                state.withLock { $0.faults.append("closed: \(code ?? 0) \(reason)") }
            case .ping, .pong: break
            }
        }
    }

    /// Ends the connection, and `listen` with it.
    func leave() { socket.drop() }
}

extension StreamFollower.Heard {
    fileprivate mutating func take(_ message: JSON) throws {
        guard let channel = message["channel"]?.stringValue, let type = message["type"]?.stringValue else { return }
        let last = message["seq"]?.integerValue ?? 0
        switch type {
        case "snapshot":
            snapshots += 1
            book = try message["data"].flatMap { DepthMessage($0) }.map { try LocalBook($0) }
        case "update":
            let first = message["first"]?.integerValue ?? last
            if channel.hasPrefix("depth:") || channel.hasPrefix("trades:"), let known = numbers[channel],
                first > known + 1
            {
                faults.append("\(channel): \(first) after \(known)")
            }
            updates[channel, default: 0] += 1
            if channel.hasPrefix("depth:") {
                try message["data"].flatMap { DepthMessage($0) }.map { try book?.apply($0) }
            } else {
                data[channel, default: []].append(message["data"] ?? .null)
            }
        case "stale", "error": faults.append("\(message)")
        default: break
        }
        numbers[channel] = last
    }
}

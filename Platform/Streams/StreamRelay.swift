import Kernel

/// What a relay tells its hub.
public enum StreamRelayEvent: Sendable {
    /// From here on messages of other processes come; before it some may have been missed.
    case connected
    /// Messages of other processes don't come any more.
    case interrupted
    /// A message of another process.
    case message([UInt8])
}

/// What carries messages between the hubs of several processes.
///
/// It may lose messages, not change their order; a process needn't get its own.
public protocol StreamRelay: Sendable {
    /// Hands a message to the other processes; never waits.
    func send(_ message: [UInt8])

    /// Hands a publication of a channel to the other processes, and keeps it among so many of its last ones for those
    /// who come later; never waits.
    func send(_ message: [UInt8], keptOf id: StreamChannelID, countMax: Int)

    /// What is kept of a channel, oldest first; it may lack any of it, and have some twice.
    func recall(_ id: StreamChannelID) async -> [[UInt8]]

    /// Tells what comes from them, until cancelled.
    func run(_ tell: @escaping @Sendable (StreamRelayEvent) -> Void) async
}

extension StreamRelay {
    /// Hands it on alone, for relays that keep nothing.
    public func send(_ message: [UInt8], keptOf id: StreamChannelID, countMax: Int) { send(message) }

    /// Nothing.
    public func recall(_ id: StreamChannelID) async -> [[UInt8]] { [] }
}

/// What hubs tell each other: a line of JSON, and behind it a payload as it is.
enum RelayMessage: Equatable {
    case update(StreamChannelID, ClosedRange<Int64>, [UInt8])
    case snapshot(StreamChannelID, StreamSnapshot)
    case ask(StreamChannelID)

    var id: StreamChannelID {
        switch self {
        case .update(let id, _, _), .snapshot(let id, _), .ask(let id): id
        }
    }

    func encoded() -> [UInt8] {
        let (head, payload): (JSON, [UInt8]) =
            switch self {
            case .update(let id, let sequence, let payload):
                (
                    [
                        "kind": "update", "channel": .string(id.description), "first": .integer(sequence.lowerBound),
                        "last": .integer(sequence.upperBound),
                    ], payload
                )
            case .snapshot(let id, let snapshot):
                (
                    [
                        "kind": "snapshot", "channel": .string(id.description), "last": .integer(snapshot.sequence),
                    ], snapshot.payload
                )
            case .ask(let id): (["kind": "ask", "channel": .string(id.description)], [])
            }
        return head.serialized() + [UInt8(ascii: "\n")] + payload
    }

    /// Reads a message; nil for anything else.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")), let head = try? JSON.parse(bytes[..<end]),
            let id = head["channel"]?.stringValue.flatMap({ StreamChannelID($0) })
        else { return nil }
        let payload = Array(bytes[(end + 1)...])
        let last = head["last"]?.integerValue.flatMap { Int64(exactly: $0) }
        switch head["kind"]?.stringValue {
        case "update":
            guard let last, let first = head["first"]?.integerValue, first > 0, Int64(first) <= last else { return nil }
            self = .update(id, Int64(first)...last, payload)
        case "snapshot":
            guard let last, last >= 0 else { return nil }
            self = .snapshot(id, StreamSnapshot(sequence: last, payload: payload))
        case "ask": self = .ask(id)
        default: return nil
        }
    }
}

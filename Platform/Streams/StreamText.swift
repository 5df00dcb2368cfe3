import HTTP
import Kernel

/// The messages of the protocol in the form that goes to clients; `docs/streams.md` describes them.
enum StreamText {
    enum Kind: String { case update, snapshot }

    /// `{"type":"update","channel":"depth:BTC-USD","first":7,"seq":9,"data":…}`; `first` only where it isn't `seq`.
    static func publication(
        _ kind: Kind,
        _ channel: String,
        _ sequence: ClosedRange<Int64>,
        _ payload: [UInt8]
    ) -> WebSocketMessage {
        var text = Array("{\"type\":\"\(kind.rawValue)\",\"channel\":\"\(channel)\",".utf8)
        text.reserveCapacity(text.count + payload.count + 64)
        if sequence.lowerBound != sequence.upperBound {
            text.append(contentsOf: "\"first\":\(sequence.lowerBound),".utf8)
        }
        text.append(contentsOf: "\"seq\":\(sequence.upperBound),\"data\":".utf8)
        text.append(contentsOf: payload)
        text.append(UInt8(ascii: "}"))
        return WebSocketMessage(text: text)
    }

    /// What comes next on the channel follows this number.
    static func live(_ channel: String, after sequence: Int64) -> WebSocketMessage {
        message(["type": "live", "channel": .string(channel), "seq": .integer(sequence)])
    }

    /// Nothing newer is known for now.
    static func stale(_ channel: String) -> WebSocketMessage {
        message(["type": "stale", "channel": .string(channel)])
    }

    static func message(_ json: JSON) -> WebSocketMessage { WebSocketMessage(text: json.serialized()) }

    static func acknowledgement(_ operation: String, _ id: JSON?, _ more: [JSON.Member] = []) -> WebSocketMessage {
        let head = [JSON.Member("type", "ack"), JSON.Member("op", .string(operation))]
        return message(.object(head + member("id", id) + more))
    }

    static func error(_ error: StreamError, _ operation: JSON?, _ id: JSON?, channel: String? = nil) -> WebSocketMessage
    {
        let head = [JSON.Member("type", "error")] + member("op", operation) + member("id", id)
        let rest = [JSON.Member("code", .string(error.code)), JSON.Member("detail", .string(error.detail))]
        return message(.object(head + member("channel", channel.map { .string($0) }) + rest))
    }

    private static func member(_ name: String, _ value: JSON?) -> [JSON.Member] {
        value.map { [JSON.Member(name, $0)] } ?? []
    }
}

/// Why an operation is refused.
struct StreamError: Error, Equatable {
    let code: String
    let detail: String

    static let malformed = StreamError(code: "malformed_message", detail: "A message is one JSON object.")
    static let unknownOperation = StreamError(
        code: "unknown_op",
        detail: "`op` is `subscribe`, `unsubscribe`, `resume`, `authenticate` or `ping`."
    )
    static let badID = StreamError(code: "bad_id", detail: "`id` is an integer or a string of at most 64 bytes.")
    static let badChannels = StreamError(code: "bad_channels", detail: "`channels` is a list of 1 to 100 names.")
    static let badChannel = StreamError(code: "bad_channel", detail: "`channel` is a name.")
    static let badFrom = StreamError(code: "bad_from", detail: "`from` is the `seq` of the last message that you have.")
    static let badToken = StreamError(code: "bad_token", detail: "`token` is a string.")
    static let unknownChannel = StreamError(code: "unknown_channel", detail: "There is no such channel.")
    static let notSubscribed = StreamError(code: "not_subscribed", detail: "You aren't subscribed to it.")
    static let unauthenticated = StreamError(
        code: "unauthenticated",
        detail: "The channel or the operation needs a valid token: send `authenticate` first."
    )
    static let forbidden = StreamError(code: "forbidden", detail: "Your role doesn't permit this channel.")
    static let unknownField = StreamError(code: "unknown_field", detail: "The operation has no such member.")
    static let otherUser = StreamError(
        code: "other_user",
        detail: "The connection is another user's. Open one of your own."
    )
    static let unavailable = StreamError(code: "unavailable", detail: "That can't be done now. Try again.")

    static func tooManySubscriptions(_ countMax: Int) -> StreamError {
        StreamError(code: "too_many_subscriptions", detail: "A connection has at most \(countMax) subscriptions.")
    }
}

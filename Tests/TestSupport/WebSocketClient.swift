public import NIOCore
import NIOPosix
import NIOWebSocket

/// A WebSocket client that may also do what no client may: it sends bytes as they are, and can stop reading.
///
/// Its frames are NIO's, so that they are a second opinion on the server's.
public final class WebSocketClient: Sendable {
    /// What comes from the server.
    public enum Event: Hashable, Sendable {
        /// A text message.
        case text(String)
        /// A ping; it was answered.
        case ping
        /// A pong with its payload.
        case pong([UInt8])
        /// A close frame; its code, if it has one, and its reason.
        case close(UInt16?, String)
    }

    /// What a server answered that didn't open a WebSocket.
    public struct Refusal: Error {
        /// The whole answer as far as it had come.
        public let answer: String
    }

    /// What comes, until the connection is closed.
    public let events: AsyncStream<Event>
    /// The connection.
    public let channel: any Channel

    init(_ channel: any Channel, _ events: AsyncStream<Event>) { (self.channel, self.events) = (channel, events) }

    /// Connects to a server on this machine and opens a WebSocket.
    ///
    /// `headers` are further lines of the request, each with its end of line; without `answersPings` it seems dead;
    /// `tap` gets the bytes of the frames in place of `events`, on the connection's thread.
    /// - Throws: `Refusal`, or what connecting throws.
    public static func connect(
        port: Int,
        path: String = "/v1/stream",
        headers: String = "",
        answersPings: Bool = true,
        tap: (@Sendable (ByteBuffer) -> Void)? = nil
    ) async throws -> WebSocketClient {
        let (events, continuation) = AsyncStream<Event>.makeStream()
        let group = MultiThreadedEventLoopGroup.singleton
        let opened = group.next().makePromise(of: Void.self)
        let request =
            "GET \(path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\(headers)\r\n"
        do {
            let channel = try await ClientBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = OpeningHandler(opened, continuation, answersPings: answersPings, tap: tap)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
            try await channel.writeAndFlush(ByteBuffer(string: request))
            try await opened.futureResult.get()
            return WebSocketClient(channel, events)
        } catch {
            opened.fail(error)
            throw error
        }
    }

    /// Sends a text message in one frame.
    public func send(_ text: String) { send(frame: 0x81, Array(text.utf8)) }

    /// Sends a frame with a first byte of the caller's choice, masked unless said otherwise.
    public func send(frame first: UInt8, _ payload: [UInt8], isMasked: Bool = true) {
        send(bytes: WebSocketClient.frame(first, payload, isMasked: isMasked))
    }

    /// Sends bytes as they are.
    public func send(bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    /// Lets the server's bytes lie, or takes them again.
    public func setReads(_ reads: Bool) async throws {
        try await channel.setOption(.autoRead, value: reads).get()
        if reads { channel.read() }
    }

    /// Closes the connection without a word.
    public func drop() { channel.close(promise: nil) }

    /// The bytes of a frame.
    public static func frame(_ first: UInt8, _ payload: [UInt8], isMasked: Bool = true) -> [UInt8] {
        let flag: UInt8 = isMasked ? 0x80 : 0
        var bytes = [first]
        switch payload.count {
        case ...125: bytes.append(flag | UInt8(payload.count))
        case ...0xFFFF: bytes += [flag | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: bytes += [flag | 127] + (0..<8).reversed().map { UInt8(payload.count >> (8 * $0) & 0xFF) }
        }
        guard isMasked else { return bytes + payload }
        let mask: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }
}

/// Waits for the answer to the handshake, then hands everything on as frames.
private final class OpeningHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let opened: EventLoopPromise<Void>
    private let events: AsyncStream<WebSocketClient.Event>.Continuation
    private let answersPings: Bool
    private let tap: (@Sendable (ByteBuffer) -> Void)?
    private var head = ""
    private var isOpen = false

    init(
        _ opened: EventLoopPromise<Void>,
        _ events: AsyncStream<WebSocketClient.Event>.Continuation,
        answersPings: Bool,
        tap: (@Sendable (ByteBuffer) -> Void)?
    ) {
        (self.opened, self.events, self.answersPings, self.tap) = (opened, events, answersPings, tap)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if !isOpen {
            while let byte: UInt8 = bytes.readInteger() {
                head.unicodeScalars.append(Unicode.Scalar(byte))
                if head.hasSuffix("\r\n\r\n"), head.hasPrefix("HTTP/1.1 101") {
                    open(context)
                    break
                }
            }
        }
        guard isOpen, bytes.readableBytes > 0 else { return }
        if let tap { tap(bytes) } else { context.fireChannelRead(wrapInboundOut(bytes)) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        opened.fail(WebSocketClient.Refusal(answer: head))
        events.finish()
        context.fireChannelInactive()
    }

    private func open(_ context: ChannelHandlerContext) {
        isOpen = true
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandler(ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 1 << 24)))
            try pipeline.addHandler(FrameHandler(events, answersPings: answersPings))
            opened.succeed()
        } catch {
            opened.fail(error)
        }
    }
}

/// Turns frames into events.
private final class FrameHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = ByteBuffer

    private let events: AsyncStream<WebSocketClient.Event>.Continuation
    private let answersPings: Bool

    init(_ events: AsyncStream<WebSocketClient.Event>.Continuation, answersPings: Bool) {
        (self.events, self.answersPings) = (events, answersPings)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        var payload = frame.data
        switch frame.opcode {
        case .text: events.yield(.text(String(buffer: payload)))
        case .ping:
            if answersPings {
                let pong = WebSocketClient.frame(0x8A, Array(payload.readableBytesView))
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: pong)), promise: nil)
            }
            events.yield(.ping)
        case .pong: events.yield(.pong(Array(payload.readableBytesView)))
        case .connectionClose:
            let code: UInt16? = payload.readInteger()
            events.yield(.close(code, String(buffer: payload)))
            let echo = code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? []
            let answer = ByteBuffer(bytes: WebSocketClient.frame(0x88, echo))
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        default: context.close(promise: nil)
        }
    }
}

import NIOCore

/// The connection's end of a WebSocket: frames, pings, limits and the closing handshake; used by its event loop.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case open
        /// A close frame is sent, the peer's is awaited.
        case closing
        case closed
    }

    /// Messages that are asked of a session at once.
    private static let takeMax = 64

    private let socket: WebSocket
    private let session: any WebSocketSession
    private let limits: WebSocketEndpoint.Limits
    private let accept: String
    private var reader: FrameReader
    private var phase = Phase.open
    private var pending = 0
    private var hasHeldRead = false
    private var ticking: RepeatedTask?
    private let openedAt = NIODeadline.now()
    private var heardAt = NIODeadline.now()
    private var pingedAt = NIODeadline.now()
    private var usedAt = NIODeadline.now()

    init(_ socket: WebSocket, _ session: any WebSocketSession, _ limits: WebSocketEndpoint.Limits, accept: String) {
        (self.socket, self.session, self.limits, self.accept) = (socket, session, limits, accept)
        reader = FrameReader(messageBytesMax: limits.messageBytesMax)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let answer =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(accept)\r\n\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        let socket = socket
        ticking = context.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            socket.tell(.tick)
        }
        socket.wake()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heardAt = .now()
        reader.append(unwrapInboundIn(data))
        readMessages(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        context.fireChannelReadComplete()
    }

    /// While messages wait nothing more is read.
    func read(context: ChannelHandlerContext) {
        if pending >= limits.messagesPendingMax, phase == .open {
            hasHeldRead = true
        } else {
            context.read()
        }
    }

    // Not at once: writing may change the writability again.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { socket.wake() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let command as WebSocket.Command: obey(command, context)
        case is ChannelShouldQuiesceEvent: close(WebSocketClose(.goingAway, "going_away"), context)
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        phase = .closed
        ticking?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func obey(_ command: WebSocket.Command, _ context: ChannelHandlerContext) {
        switch command {
        case .pump: pump(context)
        case .tick: tick(context)
        case .close(let reason): close(reason, context)
        case .received:
            pending -= 1
            readMessages(context)
            context.flush()
            if hasHeldRead, pending < limits.messagesPendingMax {
                hasHeldRead = false
                context.read()
            }
        }
    }

    private func readMessages(_ context: ChannelHandlerContext) {
        do throws(WebSocketClose) {
            while phase != .closed, pending < limits.messagesPendingMax || phase == .closing,
                let event = try reader.next()
            {
                handle(event, context)
            }
        } catch {
            // What comes after a fault can't be understood any more; it is dropped until the peer has gone.
            reader = FrameReader(messageBytesMax: limits.messageBytesMax)
            close(error, context)
        }
    }

    private func handle(_ event: FrameReader.Event, _ context: ChannelHandlerContext) {
        switch (event, phase) {
        case (.text(let text), .open):
            pending += 1
            socket.inbox.yield(text)
        case (.ping(let payload), .open):
            context.write(wrapOutboundOut(FrameWriter.frame(.pong, payload)), promise: nil)
        case (.close(let code), .open):
            close(WebSocketClose(code, ""), context)
            disconnect(context)
        case (.close, .closing): disconnect(context)
        default: return
        }
    }

    private func pump(_ context: ChannelHandlerContext) {
        socket.rearm()
        var hasWritten = false
        while phase == .open, context.channel.isWritable {
            let messages = session.take(countMax: WebSocketHandler.takeMax)
            guard !messages.isEmpty else { break }
            for message in messages { context.write(wrapOutboundOut(message.frame), promise: nil) }
            hasWritten = true
        }
        if hasWritten { context.flush() }
    }

    private func tick(_ context: ChannelHandlerContext) {
        guard phase == .open else { return }
        let now = NIODeadline.now()
        if session.isInUse { usedAt = now }
        if let fault = session.fault() {
            close(fault, context)
        } else if now - heardAt >= .seconds(Int64(limits.silenceSeconds)) {
            close(WebSocketClose(.silent, "silent"), context)
        } else if now - usedAt >= .seconds(Int64(limits.idleSeconds)) {
            close(WebSocketClose(.idle, "idle"), context)
        } else if now - openedAt >= .seconds(Int64(limits.lifetimeSeconds)) {
            close(WebSocketClose(.goingAway, "lifetime_over"), context)
        } else if now - pingedAt >= .seconds(Int64(limits.pingSeconds)), context.channel.isWritable {
            pingedAt = now
            context.writeAndFlush(wrapOutboundOut(FrameWriter.frame(.ping, [])), promise: nil)
        }
    }

    /// Sends a close frame, once, and gives the peer some seconds for its own.
    private func close(_ reason: WebSocketClose, _ context: ChannelHandlerContext) {
        guard phase == .open else { return }
        phase = .closing
        end()
        context.writeAndFlush(wrapOutboundOut(FrameWriter.close(reason)), promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(Int64(limits.closeSeconds))) { channel.close(promise: nil) }
        if hasHeldRead {
            hasHeldRead = false
            context.read()
        }
    }

    /// Closes the connection after what was written, the server first (RFC 6455 §7.1.1).
    private func disconnect(_ context: ChannelHandlerContext) {
        phase = .closed
        context.close(promise: nil)
    }

    /// Tells the session, once.
    private func end() {
        guard phase != .closed, !hasEnded else { return }
        hasEnded = true
        socket.inbox.finish()
        session.ended()
    }

    private var hasEnded = false
}

import NIOCore

/// Takes the bytes of a client and gives its messages (RFC 6455 §5); a value that knows no network.
///
/// It keeps at most what was appended since the last whole frame, and the fragments of one message.
struct FrameReader {
    enum Event: Equatable {
        case text(String)
        case ping([UInt8])
        case pong
        /// The code to answer with: the peer's own.
        case close(WebSocketCode)
    }

    private struct Head {
        let kind: FrameKind
        let isFinal: Bool
        let length: Int
        /// Of the head itself, the mask included.
        let byteCount: Int
    }

    private let messageBytesMax: Int
    private var buffer = ByteBuffer()
    private var fragments: [UInt8]?

    init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

    mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 { buffer.clear() }
        buffer.writeImmutableBuffer(bytes)
        buffer.discardReadBytes()
    }

    /// The next event; nil when more bytes are needed for it.
    ///
    /// - Throws: what to close the connection with, once; nothing may be asked of the reader after that.
    mutating func next() throws(WebSocketClose) -> Event? {
        while let head = try head(), buffer.readableBytes >= head.byteCount + head.length {
            buffer.moveReaderIndex(forwardBy: head.byteCount - 4)
            let payload = unmask(length: head.length)
            if let event = try event(head, payload) { return event }
        }
        return nil
    }

    /// The head of the frame at the front; nil when it isn't whole.
    ///
    /// What can be refused by the head is refused before the payload has come.
    private func head() throws(WebSocketClose) -> Head? {
        let start = buffer.readerIndex
        guard let first: UInt8 = buffer.getInteger(at: start), let second: UInt8 = buffer.getInteger(at: start + 1)
        else { return nil }
        guard first & 0x70 == 0, let kind = FrameKind(rawValue: first & 0xF), second & 0x80 != 0 else {
            throw .broken
        }
        let isFinal = first & 0x80 != 0
        if kind.isControl {
            guard isFinal, second & 0x7F <= 125 else { throw .broken }
        } else {
            guard kind != .binary else { throw WebSocketClose(.unsupported, "text_only") }
            guard (kind == .continuation) == (fragments != nil) else { throw .broken }
        }
        guard let (length, lengthBytes) = try length(second & 0x7F, at: start + 2) else { return nil }
        if !kind.isControl, length + (fragments?.count ?? 0) > messageBytesMax {
            throw WebSocketClose(.tooLarge, "message_too_large")
        }
        let byteCount = 2 + lengthBytes + 4
        guard buffer.readableBytes >= byteCount else { return nil }
        return Head(kind: kind, isFinal: isFinal, length: length, byteCount: byteCount)
    }

    private func length(_ short: UInt8, at place: Int) throws(WebSocketClose) -> (length: Int, bytes: Int)? {
        switch short {
        case 126:
            guard let long: UInt16 = buffer.getInteger(at: place) else { return nil }
            guard long > 125 else { throw .broken }
            return (Int(long), 2)
        case 127:
            guard let long: UInt64 = buffer.getInteger(at: place) else { return nil }
            guard long > 0xFFFF, long >> 63 == 0 else { throw .broken }
            return (Int(min(long, UInt64(UInt32.max))), 8)
        default: return (Int(short), 0)
        }
    }

    private mutating func unmask(length: Int) -> [UInt8] {
        guard let mask = buffer.readBytes(length: 4), var payload = buffer.readBytes(length: length) else { return [] }
        for index in payload.indices { payload[index] ^= mask[index & 3] }
        return payload
    }

    private mutating func event(_ head: Head, _ payload: [UInt8]) throws(WebSocketClose) -> Event? {
        switch head.kind {
        case .ping: return .ping(payload)
        case .pong: return .pong
        case .close: return .close(try FrameReader.closeCode(payload))
        case .text, .continuation, .binary:
            let message = (fragments ?? []) + payload
            fragments = head.isFinal ? nil : message
            guard head.isFinal else { return nil }
            guard let text = String(validating: message, as: UTF8.self) else {
                throw WebSocketClose(.invalidText, "invalid_utf8")
            }
            return .text(text)
        }
    }

    /// RFC 6455 §5.5.1: nothing, or a code and a reason in UTF-8.
    private static func closeCode(_ payload: [UInt8]) throws(WebSocketClose) -> WebSocketCode {
        guard !payload.isEmpty else { return .normal }
        guard payload.count >= 2 else { throw .broken }
        let code = WebSocketCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        guard code.isSendable else { throw .broken }
        guard String(validating: payload.dropFirst(2), as: UTF8.self) != nil else {
            throw WebSocketClose(.invalidText, "invalid_utf8")
        }
        return code
    }
}

extension WebSocketClose {
    fileprivate static let broken = WebSocketClose(.protocolError, "protocol_error")
}

import NIOCore

/// A text message in the form that goes to the network; encoded once for however many get it.
public struct WebSocketMessage: Sendable {
    let frame: ByteBuffer

    /// A message of text in UTF-8, which the caller guarantees.
    public init(text: [UInt8]) { frame = FrameWriter.frame(.text, text) }

    /// Bytes on the wire, the frame's head included.
    public var byteCount: Int { frame.readableBytes }
}

/// What a frame is (RFC 6455 §5.2).
enum FrameKind: UInt8 {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    var isControl: Bool { rawValue & 0x8 != 0 }
}

/// Frames of a server: whole and unmasked.
enum FrameWriter {
    /// The most bytes of a control frame's payload (RFC 6455 §5.5).
    static let controlBytesMax = 125

    static func frame(_ kind: FrameKind, _ payload: some Collection<UInt8>) -> ByteBuffer {
        let count = payload.count
        var frame = ByteBufferAllocator().buffer(capacity: count + 10)
        frame.writeInteger(0x80 | kind.rawValue)
        switch count {
        case ...125: frame.writeInteger(UInt8(count))
        case ...0xFFFF:
            frame.writeInteger(UInt8(126))
            frame.writeInteger(UInt16(count))
        default:
            frame.writeInteger(UInt8(127))
            frame.writeInteger(UInt64(count))
        }
        frame.writeBytes(payload)
        return frame
    }

    static func close(_ close: WebSocketClose) -> ByteBuffer {
        let code = close.code.rawValue
        let reason = close.reason.utf8.prefix(controlBytesMax - 2)
        return frame(.close, [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)] + reason)
    }
}

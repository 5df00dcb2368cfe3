import NIOCore
import Testing

@testable import HTTP

@Suite struct FrameReaderTests {
    private func frame(_ first: UInt8, _ payload: [UInt8], isMasked: Bool = true) -> [UInt8] {
        let flag: UInt8 = isMasked ? 0x80 : 0
        let length: [UInt8] =
            payload.count < 126
            ? [flag | UInt8(payload.count)] : [flag | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        let mask: [UInt8] = [9, 8, 7, 6]
        return [first] + length + (isMasked ? mask + payload.enumerated().map { $1 ^ mask[$0 & 3] } : payload)
    }

    /// The events of bytes that come in pieces, and the fault that ends them.
    private func read(_ bytes: [UInt8], piece: Int, max: Int = 1000) -> ([FrameReader.Event], WebSocketClose?) {
        var reader = FrameReader(messageBytesMax: max)
        var events: [FrameReader.Event] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            reader.append(ByteBuffer(bytes: bytes[start..<min(start + piece, bytes.count)]))
            do throws(WebSocketClose) {
                while let event = try reader.next() { events.append(event) }
            } catch {
                return (events, error)
            }
        }
        return (events, nil)
    }

    @Test(arguments: [1, 2, 3, 7, 1000]) func `messages are read whatever pieces they come in`(piece: Int) {
        let long = String(repeating: "ü", count: 200)
        let bytes =
            frame(0x81, Array("one".utf8)) + frame(0x01, Array("tw".utf8)) + frame(0x89, [1, 2]) + frame(0x00, [])
            + frame(0x80, Array("o".utf8)) + frame(0x81, Array(long.utf8)) + frame(0x8A, []) + frame(0x81, [])
            + frame(0x88, [3, 232] + Array("bye".utf8))
        let (events, fault) = read(bytes, piece: piece)
        #expect(
            events == [
                .text("one"), .ping([1, 2]), .text("two"), .text(long), .pong, .text(""), .close(.normal),
            ]
        )
        #expect(fault == nil)
    }

    @Test func `what isn't allowed is refused with its code`() {
        let faulty: [([UInt8], UInt16)] = [
            (frame(0x81, [65], isMasked: false), 1002), (frame(0xC1, [65]), 1002), (frame(0x91, [65]), 1002),
            (frame(0x83, [65]), 1002), (frame(0x8B, []), 1002), (frame(0x80, [65]), 1002),
            (frame(0x01, [65]) + frame(0x81, [65]), 1002), (frame(0x09, []), 1002),
            (frame(0x89, Array(repeating: 0, count: 126)), 1002), (frame(0x88, [3]), 1002),
            (frame(0x88, [3, 237]), 1002), (frame(0x88, [0, 0]), 1002), (frame(0x88, [3, 232, 0xFF]), 1007),
            (frame(0x82, [65]), 1003), (frame(0x81, [0xC3]), 1007), (frame(0x81, [0xED, 0xA0, 0x80]), 1007),
            (frame(0x81, Array(repeating: 65, count: 1001)), 1009),
            (frame(0x01, Array(repeating: 65, count: 600)) + frame(0x80, Array(repeating: 65, count: 600)), 1009),
            ([0x81, 0xFE, 0, 5, 1, 2, 3, 4], 1002), ([0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4], 1002),
            ([0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], 1002),
            ([0x81, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], 1009),
        ]
        for (bytes, code) in faulty {
            for piece in [1, 5, 2000] {
                #expect(read(bytes, piece: piece).1?.code.rawValue == code, "\(bytes.prefix(16)) by \(piece)")
            }
        }
    }

    @Test func `random bytes are read the same in any pieces`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let payload = (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...127) }
                let first: UInt8 =
                    [0x81, 0x81, 0x01, 0x00, 0x80, 0x89, 0x8A, .random(in: 0...255)].randomElement() ?? 0
                bytes += frame(first, payload)
            }
            if Bool.random() { bytes[Int.random(in: bytes.indices)] = .random(in: 0...255) }
            let whole = read(bytes, piece: bytes.count)
            let parts = read(bytes, piece: Int.random(in: 1...40))
            #expect(whole.0 == parts.0, "\(bytes)")
            #expect(whole.1 == parts.1, "\(bytes)")
        }
    }

    @Test func `the proof of the handshake is that of the standard`() {
        // RFC 6455 §1.3
        #expect(WebSocketHandshake.accept(key: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }
}

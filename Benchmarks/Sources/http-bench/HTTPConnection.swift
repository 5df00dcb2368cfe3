import Glibc

/// A keep-alive connection with one request under way at most.
struct HTTPConnection: ~Copyable {
    /// An answer.
    struct Answer {
        let status: Int
        let body: [UInt8]
    }

    private static let chunkBytes = 16_384

    let socket: Int32
    private var received: [UInt8] = []

    /// A connection on a connected socket, which it closes in the end.
    init(socket: Int32) { self.socket = socket }

    deinit { close(socket) }

    /// Sends a request; small as they are, they fit into the socket's buffer.
    func send(_ bytes: [UInt8]) throws(ConnectionFailure) {
        let sent = bytes.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard sent == bytes.count else { throw .system(call: "send", errno: errno) }
    }

    /// Reads what is there; an answer once it is whole.
    mutating func receive() throws(ConnectionFailure) -> Answer? {
        var count = 0
        let chunk = [UInt8](unsafeUninitializedCapacity: HTTPConnection.chunkBytes) { buffer, filled in
            count = recv(socket, buffer.baseAddress, buffer.count, 0)
            filled = max(0, count)
        }
        guard count > 0 else { throw count == 0 ? .closed : .system(call: "recv", errno: errno) }
        received += chunk
        return try takeAnswer()
    }

    /// Sends a request and waits for its answer.
    mutating func exchange(_ bytes: [UInt8]) throws(ConnectionFailure) -> Answer {
        try send(bytes)
        while true {
            if let answer = try receive() { return answer }
        }
    }

    private mutating func takeAnswer() throws(ConnectionFailure) -> Answer? {
        guard let end = received.offset(of: "\r\n\r\n") else { return nil }
        // "HTTP/1.1 " comes before the status.
        guard let status = received.number(at: 9), received.offset(of: "\r\nTransfer-Encoding:") == nil else {
            throw .malformed(String(decoding: received[..<end], as: UTF8.self))
        }
        let length = try length(before: end)
        let body = end + 4
        guard received.count >= body + length else { return nil }
        let answer = Answer(status: Int(status), body: Array(received[body..<(body + length)]))
        received.removeFirst(body + length)
        return answer
    }

    /// The length of the body, which our own server's heads tell in one of two spellings.
    private func length(before end: Int) throws(ConnectionFailure) -> Int {
        let name = received.offset(of: "\r\ncontent-length: ") ?? received.offset(of: "\r\nContent-Length: ")
        guard let name, name < end else { return 0 }
        guard let length = received.number(at: name + 18) else {
            throw .malformed(String(decoding: received[..<end], as: UTF8.self))
        }
        return Int(length)
    }
}

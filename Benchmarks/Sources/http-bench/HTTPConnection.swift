import Glibc

/// A keep-alive connection with one request under way at most.
struct HTTPConnection: ~Copyable {
    /// An answer.
    struct Answer {
        let status: Int
        let body: [UInt8]
    }

    private static let chunkBytes = 16_384
    private static let headEnd: [UInt8] = [13, 10, 13, 10]

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
        guard let end = received.firstRange(of: HTTPConnection.headEnd) else { return nil }
        let head = String(decoding: received[..<end.lowerBound], as: UTF8.self)
        let lines = head.split(separator: "\r\n")
        guard let first = lines.first, let status = Int(first.dropFirst(9).prefix(3)) else { throw .malformed(head) }
        var length = 0
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw .malformed(head) }
            switch line[..<colon].lowercased() {
            case "content-length":
                guard let value = Int(line[colon...].dropFirst().trimmedSpaces) else { throw .malformed(head) }
                length = value
            case "transfer-encoding": throw .malformed(head)
            default: continue
            }
        }
        guard received.count >= end.upperBound + length else { return nil }
        let body = Array(received[end.upperBound..<(end.upperBound + length)])
        received.removeFirst(end.upperBound + length)
        return Answer(status: status, body: body)
    }
}

extension Substring {
    fileprivate var trimmedSpaces: Substring {
        var rest = self
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}

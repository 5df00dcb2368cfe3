import Foundation
import Glibc
import Kernel

/// What went wrong below HTTP: the request may or may not have had an effect.
enum WireError: Error, Equatable {
    case connect(errno: Int32)
    case send(errno: Int32)
    case receive(errno: Int32)
    /// The connection ended before the answer did.
    case incomplete(received: Int)
}

/// An answer as it came.
struct Answer: Sendable {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let body: [UInt8]

    /// The body as JSON; null if there is none or it isn't JSON.
    var json: JSON { (try? JSON.parse(body, limits: JSON.Limits(bytesMax: 16_777_216))) ?? .null }

    /// A member of the body that is a text; empty if it isn't there.
    func text(_ name: String) -> String { json[name]?.stringValue ?? "" }

    /// The body as it is read by people.
    var readable: String { "\(status) " + String(decoding: body.prefix(2_000), as: UTF8.self) }
}

/// An HTTP/1.1 client over plain sockets: a connection for each request, nothing repeated, nothing hidden.
///
/// Its calls block, so each runs on a thread of its own.
struct WireClient: Sendable {
    /// Seconds after which a silent server fails a request.
    static let silenceSeconds = 30

    let port: Int
    /// The loopback address to come from; limits per address count each for itself.
    var source = "127.0.0.1"

    /// Sends a request and reads the whole answer.
    ///
    /// - Throws: `WireError`; the outcome of the request is unknown then.
    func send(
        _ method: String,
        _ path: String,
        headers: [(String, String)] = [],
        body: [UInt8]? = nil
    ) async throws -> Answer {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        let bytes = Array((head + "\r\n").utf8) + (body ?? [])
        return try await onThread { try blockingExchange(bytes) }
    }

    private func blockingExchange(_ request: [UInt8]) throws -> Answer {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw WireError.connect(errno: errno) }
        defer { close(descriptor) }
        var timeout = timeval(tv_sec: WireClient.silenceSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        try WireClient.with(source, port: 0) { address, size in
            guard bind(descriptor, address, size) == 0 else { throw WireError.connect(errno: errno) }
        }
        try WireClient.with("127.0.0.1", port: port) { address, size in
            guard connect(descriptor, address, size) == 0 else { throw WireError.connect(errno: errno) }
        }
        let failure = WireClient.sendAll(request, to: descriptor)
        // A refusal may come before the whole request was read, so the answer counts even if sending failed.
        let received = WireClient.receiveAll(descriptor)
        if let answer = WireClient.parse(received.bytes) { return answer }
        if let failure { throw WireError.send(errno: failure) }
        if received.errno != 0 { throw WireError.receive(errno: received.errno) }
        throw WireError.incomplete(received: received.bytes.count)
    }

    private static func with(
        _ host: String,
        port: Int,
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void
    ) rethrows {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr(host)
        try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func sendAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return errno }
            sent += count
        }
        return nil
    }

    private static func receiveAll(_ descriptor: Int32) -> (bytes: [UInt8], errno: Int32) {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0 { return (received, errno) }
            if count == 0 { return (received, 0) }
            received += buffer[..<count]
            // What is complete needs no more waiting, also when the server lets the connection live.
            if parse(received) != nil { return (received, 0) }
        }
    }

    /// The answer, if these bytes are a whole one; interim answers (1xx) are passed over.
    private static func parse(_ bytes: [UInt8]) -> Answer? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ", maxSplits: 2)
        guard words.count >= 2, let status = Int(words[1]) else { return nil }
        if status < 200 { return parse(Array(bytes[end.upperBound...])) }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard let name = parts.first else { continue }
            headers[name.lowercased()] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        }
        let body = Array(bytes[end.upperBound...])
        let length = headers["content-length"].flatMap(Int.init) ?? 0
        guard body.count >= length else { return nil }
        return Answer(status: status, headers: headers, body: Array(body.prefix(length)))
    }
}

/// Runs what blocks on a thread of its own.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}

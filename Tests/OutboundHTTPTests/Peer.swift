import Glibc
import Synchronization
import Threads

@testable import OutboundHTTP

/// An HTTP server of the test's own on 127.0.0.1 that does with each request what the test says.
final class Peer: Sendable {
    /// One connection, from the server's side.
    struct Connection: Sendable {
        fileprivate let descriptor: Int32

        /// Writes text; false when the client has gone.
        @discardableResult
        func write(_ text: String) -> Bool { write(Array(text.utf8)) }

        /// Writes bytes; false when the client has gone.
        @discardableResult
        func write(_ bytes: [UInt8]) -> Bool {
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes {
                    send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }

        /// Answers with a complete response.
        func answer(_ status: Int, _ body: String = "", headers: [String] = []) {
            let lines = ["HTTP/1.1 \(status) Something", "Content-Length: \(body.utf8.count)"] + headers
            write(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
        }

        /// Waits until the client has closed.
        func waitUntilClosed() {
            var byte: UInt8 = 0
            while recv(descriptor, &byte, 1, 0) > 0 {}
        }
    }

    struct Request: Sendable {
        let head: String
        let body: String
        /// Counts all requests of this server from 1.
        let number: Int

        var line: String { head.split(separator: "\r\n").first.map(String.init) ?? "" }

        func header(_ name: String) -> String? {
            let prefix = name.lowercased() + ": "
            return head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(prefix) }.map {
                String($0.dropFirst(prefix.count))
            }
        }
    }

    /// Does something with a request; false closes the connection.
    typealias Handler = @Sendable (Request, Connection) -> Bool

    let port: Int
    private let descriptor: Int32
    private let handler: Handler
    private let seen = Mutex<[Request]>([])
    private let connections = Mutex<Set<Int32>>([])

    init(_ handler: @escaping Handler) throws {
        let listener = try Listener()
        (port, descriptor, self.handler) = (listener.port, listener.descriptor, handler)
        OwnThread.start(name: "peer") { [weak self, descriptor] in
            // Closed here and not by another thread, or its number might be a new socket's while it is used.
            defer { close(descriptor) }
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                guard let self else {
                    close(connection)
                    return
                }
                self.connections.withLock { _ = $0.insert(connection) }
                OwnThread.start(name: "peer-connection") { self.serve(connection) }
            }
        }
    }

    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { seen.withLock { $0 } }

    /// Takes no more connections and breaks those that are open.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        connections.withLock { connections in
            for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    private func serve(_ connection: Int32) {
        defer {
            connections.withLock { _ = $0.remove(connection) }
            close(connection)
        }
        var pending: [UInt8] = []
        while let (head, body) = Peer.read(connection, &pending) {
            let request = seen.withLock { seen in
                seen.append(Request(head: head, body: body, number: seen.count + 1))
                return seen[seen.count - 1]
            }
            guard handler(request, Connection(descriptor: connection)) else { return }
        }
    }

    private static func read(_ connection: Int32, _ pending: inout [UInt8]) -> (head: String, body: String)? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let found = pending.firstRange(of: end) {
                let head = String(decoding: pending[..<found.lowerBound], as: UTF8.self)
                let length =
                    head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length: ") }
                    .flatMap { Int($0.dropFirst(16)) } ?? 0
                if pending.count >= found.upperBound + length {
                    let body = String(decoding: pending[found.upperBound..<(found.upperBound + length)], as: UTF8.self)
                    pending.removeFirst(found.upperBound + length)
                    return (head, body)
                }
            }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            pending.append(contentsOf: chunk[..<count])
        }
    }
}

/// A socket that listens on a free port of 127.0.0.1.
struct Listener {
    struct Failure: Error {}

    let descriptor: Int32
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, size) + listen(descriptor, 64) + getsockname(descriptor, generic, &size)
            }
        }
        guard status == 0 else { throw Failure() }
        port = Int(UInt16(bigEndian: address.sin_port))
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
func freePort() throws -> Int {
    let listener = try Listener()
    defer { close(listener.descriptor) }
    return listener.port
}

import Foundation
import Glibc
import Synchronization

/// JSON-RPC over HTTP/1.1 on the loopback, for one client with a few connections that stay open.
///
/// Each connection has a thread of its own, so that answers wait for each other as little as on a node.
final class RPCServer: Sendable {
    /// What a call of the system said.
    struct Failure: Error {
        let call: String
        let errno: Int32
    }

    private static let headBytesMax = 65_536
    private static let bodyBytesMax = 8 << 20
    private static let backlog: Int32 = 64

    /// Where it listens.
    let url: String
    private let listener: Int32
    private let clients = Mutex<Set<Int32>>([])
    private let answer: @Sendable ([UInt8]) -> [UInt8]

    /// Listens on a free port; `answer` makes the body of an answer of that of a request, on any thread.
    init(answer: @escaping @Sendable ([UInt8]) -> [UInt8]) throws {
        listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard listener >= 0 else { throw Failure(call: "socket", errno: errno) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let bound = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, RPCServer.backlog) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard bound else {
            defer { close(listener) }
            throw Failure(call: "bind", errno: errno)
        }
        url = "http://127.0.0.1:\(UInt16(bigEndian: name.sin_port))"
        self.answer = answer
        Thread.detachNewThread { self.accept() }
    }

    /// Takes no more clients and lets those go that are there.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        clients.withLock { for client in $0 { shutdown(client, Int32(SHUT_RDWR)) } }
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            var one: Int32 = 1
            setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
            _ = clients.withLock { $0.insert(client) }
            Thread.detachNewThread {
                self.serve(client)
                _ = self.clients.withLock { $0.remove(client) }
                close(client)
            }
        }
        close(listener)
    }

    private func serve(_ client: Int32) {
        var waiting: [UInt8] = []
        while let body = Self.request(from: client, &waiting) {
            let answer = answer(body)
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(answer.count)\r\n\r\n"
            guard Self.send(Array(head.utf8) + answer, to: client) else { return }
        }
    }

    /// The body of the next request; nil when there is none that can be read.
    private static func request(from client: Int32, _ waiting: inout [UInt8]) -> [UInt8]? {
        let end = Array("\r\n\r\n".utf8)
        var head: Range<Int>?
        while head == nil {
            guard waiting.count <= headBytesMax else { return nil }
            head = waiting.firstRange(of: end)
            if head == nil, !receive(from: client, &waiting) { return nil }
        }
        guard let head, let length = length(in: waiting[..<head.lowerBound]), (0...bodyBytesMax).contains(length) else {
            return nil
        }
        while waiting.count < head.upperBound + length {
            guard receive(from: client, &waiting) else { return nil }
        }
        let body = Array(waiting[head.upperBound..<head.upperBound + length])
        waiting.removeFirst(head.upperBound + length)
        return body
    }

    private static func length(in head: ArraySlice<UInt8>) -> Int? {
        for line in String(decoding: head, as: UTF8.self).split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
            return Int(parts[1].trimmingCharacters(in: .whitespaces))
        }
        return nil
    }

    private static func receive(from client: Int32, _ waiting: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(client, &buffer, buffer.count)
        guard count > 0 else { return false }
        waiting += buffer[..<count]
        return true
    }

    private static func send(_ bytes: [UInt8], to client: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }
}

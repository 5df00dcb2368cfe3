import DepthFeed
import Foundation
import Glibc
import Kernel
import Synchronization

/// WebSocket clients that follow the depth of a market, all read by one thread that does nothing else.
final class DepthSubscribers: Sendable {
    /// What they saw.
    struct Seen: Sendable {
        /// When each client got the update with a price, by the price.
        var arrivals: [String: [ContinuousClock.Instant]] = [:]
        var updates = 0
        /// Updates that did not follow the one before.
        var gaps = 0
        /// Updates after which a client's book had the checksum that they state.
        var checked = 0
        /// Clients whose book has arrived.
        var ready = 0
        var failure: String?
    }

    /// The server takes 100 connections of an address.
    private static let perAddress = 100
    private static let chunkBytes = 65_536
    /// Clients that keep a book and compare its checksum; for all of them it would cost more than the server's work.
    private static let checkers = 4

    /// One client.
    private struct Client {
        let socket: Int32
        var received: [UInt8] = []
        var isOpen = false
        var last: Int64?
        let isChecker: Bool
        var book: LocalBook?
    }

    private let seen = Mutex(Seen())
    private let isOver = Atomic(false)
    /// Levels at prices that begin so are probes.
    private let probe: StaticString
    private let subscription: String

    /// Connects so many clients and begins to read.
    ///
    /// - Throws: `ConnectionFailure`.
    init(_ count: Int, of symbol: String, at address: LocalAddress, probe: StaticString) throws {
        self.probe = probe
        subscription = #"{"op":"subscribe","channels":["depth:\#(symbol)"]}"#
        var clients: [Client] = []
        for number in 0..<count {
            let socket = try address.connect(from: UInt8(100 + number / DepthSubscribers.perAddress))
            let client = Client(socket: socket, isChecker: number < DepthSubscribers.checkers)
            let hello = HTTPRequest.bytes(
                "GET",
                "/v1/stream",
                to: address,
                headers: [
                    ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ]
            )
            DepthSubscribers.send(hello, to: client.socket)
            clients.append(client)
        }
        let all = clients
        Thread.detachNewThread { self.read(all) }
    }

    /// What was seen so far.
    var found: Seen { seen.withLock { $0 } }

    /// Ends the reading and closes the connections.
    func stop() { isOver.store(true, ordering: .relaxed) }

    private func read(_ clients: [Client]) {
        var clients = clients
        defer { for client in clients { close(client.socket) } }
        var polled = clients.map { pollfd(fd: $0.socket, events: Int16(POLLIN), revents: 0) }
        while !isOver.load(ordering: .relaxed) {
            guard poll(&polled, nfds_t(polled.count), 50) > 0 else { continue }
            for index in polled.indices where polled[index].revents != 0 {
                var count = 0
                let chunk = [UInt8](unsafeUninitializedCapacity: DepthSubscribers.chunkBytes) { buffer, filled in
                    count = recv(clients[index].socket, buffer.baseAddress, buffer.count, 0)
                    filled = max(0, count)
                }
                let now = ContinuousClock.now
                guard count > 0 else { return fail("a connection was closed") }
                clients[index].received += chunk
                take(&clients[index], now)
            }
        }
    }

    private func fail(_ reason: String) { seen.withLock { $0.failure = reason } }

    /// Takes what has come whole: the answer to the handshake, then frames.
    private func take(_ client: inout Client, _ now: ContinuousClock.Instant) {
        if !client.isOpen {
            guard let end = client.received.offset(of: "\r\n\r\n") else { return }
            guard client.received.starts(with: Array("HTTP/1.1 101".utf8)) else { return fail("no WebSocket") }
            client.received.removeFirst(end + 4)
            client.isOpen = true
            DepthSubscribers.send(DepthSubscribers.frame(subscription), to: client.socket)
        }
        var start = 0
        while let (text, next) = DepthSubscribers.frame(in: client.received, at: start) {
            start = next
            if text.first == UInt8(ascii: "{") { note(text, &client, now) }
        }
        client.received.removeFirst(start)
    }

    private func note(_ text: ArraySlice<UInt8>, _ client: inout Client, _ now: ContinuousClock.Instant) {
        guard let last = DepthSubscribers.number("\"seq\":", in: text) else { return }
        if client.isChecker { check(text, &client) }
        if text.offset(of: #"{"type":"snapshot""#) == 0 {
            if client.last == nil { seen.withLock { $0.ready += 1 } }
            client.last = last
        } else if text.offset(of: #"{"type":"update""#) == 0 {
            let first = DepthSubscribers.number("\"first\":", in: text) ?? last
            let follows = client.last.map { first <= $0 + 1 } ?? false
            client.last = last
            let probe = text.offset(of: probe).map { offset in
                String(decoding: text.dropFirst(offset + 2).prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
            }
            seen.withLock { seen in
                seen.updates += 1
                if !follows { seen.gaps += 1 }
                if let probe { seen.arrivals[probe, default: []].append(now) }
            }
        }
    }

    /// Keeps the client's book up to date, which finds a gap or a wrong checksum.
    private func check(_ text: ArraySlice<UInt8>, _ client: inout Client) {
        do {
            let message = try JSON.parse(Array(text), limits: JSON.Limits(bytesMax: 16_777_216))
            guard let change = message["data"].flatMap({ DepthMessage($0) }) else { return }
            if client.book == nil {
                client.book = try LocalBook(change)
            } else {
                try client.book?.apply(change)
            }
            seen.withLock { $0.checked += 1 }
        } catch {
            fail("a book that isn't the server's: \(error)")
        }
    }

    private static func number(_ name: StaticString, in text: ArraySlice<UInt8>) -> Int64? {
        text.offset(of: name).flatMap { text.number(at: $0 + name.utf8CodeUnitCount) }
    }

    // RFC 6455 §5.2; a server's frames aren't masked.
    private static func frame(in bytes: [UInt8], at start: Int) -> (text: ArraySlice<UInt8>, next: Int)? {
        guard bytes.count >= start + 2 else { return nil }
        var (length, body) = (Int(bytes[start + 1] & 0x7F), start + 2)
        if length >= 126 {
            let width = length == 126 ? 2 : 8
            guard bytes.count >= body + width else { return nil }
            length = bytes[body..<(body + width)].reduce(0) { $0 << 8 | Int($1) }
            body += width
        }
        guard bytes.count >= body + length else { return nil }
        return (bytes[body..<(body + length)], body + length)
    }

    /// A client's frame of less than 126 bytes, under the mask of zeros, which changes nothing.
    private static func frame(_ text: String) -> [UInt8] {
        [0x81, 0x80 | UInt8(text.utf8.count), 0, 0, 0, 0] + Array(text.utf8)
    }

    private static func send(_ bytes: [UInt8], to socket: Int32) {
        _ = bytes.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
}

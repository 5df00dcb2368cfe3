import Foundation
import Glibc
import Testing

/// A TCP client that sends bytes as they are, on a thread of its own, since its calls block.
struct RawClient {
    /// Seconds after which a silent server fails the test instead of hanging it.
    static let silenceSecondsMax = 20

    let port: Int
    /// Milliseconds between two parts.
    var pauseMilliseconds: Int32 = 0
    /// Whether it says that nothing more comes once all is sent.
    var endsWriting = false

    /// Connects, sends the parts one by one, and reads until the server closes.
    func exchange(_ parts: [String]) async -> String {
        await exchange(parts.map { Array($0.utf8) })
    }

    /// Connects, sends the parts one by one, and reads until the server closes.
    func exchange(_ parts: [[UInt8]]) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: self.blockingExchange(parts)) }
        }
    }

    private func blockingExchange(_ parts: [[UInt8]]) -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard connected == 0 else { return "no connection" }
        var timeout = timeval(tv_sec: RawClient.silenceSecondsMax, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        for part in parts {
            if send(descriptor, part, part.count, Int32(MSG_NOSIGNAL)) < 0 { break }
            poll(nil, 0, pauseMilliseconds)
        }
        if endsWriting { shutdown(descriptor, Int32(SHUT_WR)) }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EAGAIN { return String(decoding: received, as: UTF8.self) + "\n(still open)" }
            guard count > 0 else { return String(decoding: received, as: UTF8.self) }
            received += buffer[..<count]
        }
    }
}

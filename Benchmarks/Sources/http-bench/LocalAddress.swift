import Foundation
import Glibc

/// A server on this machine.
struct LocalAddress: Sendable {
    /// A URL that isn't `http://127.0.0.1:PORT`.
    struct NotLocal: Error, CustomStringConvertible {
        let url: String
        var description: String { "\(url): only a server at http://127.0.0.1:PORT is measured, since a network isn't." }
    }

    let host = "127.0.0.1"
    let port: UInt16

    init(url: String) throws {
        guard let parts = URLComponents(string: url), parts.scheme == "http",
            parts.host == "127.0.0.1" || parts.host == "localhost", let port = UInt16(exactly: parts.port ?? 80)
        else { throw NotLocal(url: url) }
        self.port = port
    }

    /// Opens a connection from an address of this machine: 127.0.0.`source`, where 1 is the usual one.
    ///
    /// - Throws: `ConnectionFailure`.
    func connect(from source: UInt8 = 1) throws -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw ConnectionFailure.system(call: "socket", errno: errno) }
        var on: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        let isBound = LocalAddress.with(source, port: 0) { Glibc.bind(socket, $0, $1) == 0 }
        guard isBound, LocalAddress.with(1, port: port, { Glibc.connect(socket, $0, $1) == 0 }) else {
            defer { close(socket) }
            throw ConnectionFailure.system(call: "connect", errno: errno)
        }
        return socket
    }

    private static func with<Answer>(
        _ last: UInt8,
        port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Answer
    ) -> Answer {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = (UInt32(0x7F00_0000) | UInt32(last)).bigEndian
        return withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// Why a connection is of no more use.
enum ConnectionFailure: Error {
    /// A call of the system failed.
    case system(call: String, errno: Int32)
    /// The server closed it.
    case closed
    /// What came is no answer that is understood here.
    case malformed(String)
    /// The answer has another status than it should.
    case unexpected(status: Int, body: String)
    /// Requests weren't answered in time.
    case unanswered(Int)
}

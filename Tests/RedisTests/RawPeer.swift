import Glibc
import Synchronization
import Threads

@testable import Redis

/// A port of 127.0.0.1 that was free a moment ago.
func freePort() throws -> Int {
    let listener = try Listener()
    defer { close(listener.descriptor) }
    return listener.port
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

/// A server that says the same to everybody and closes.
final class RawPeer: Sendable {
    let port: Int
    private let descriptor: Int32
    private let count = Atomic(0)

    var connections: Int { count.load(ordering: .relaxed) }

    init(answer: [UInt8]) throws {
        let listener = try Listener()
        (port, descriptor) = (listener.port, listener.descriptor)
        OwnThread.start(name: "raw-peer") { [weak self, descriptor] in
            // Closed here and not by another thread, or its number might be a new socket's while it is used.
            defer { close(descriptor) }
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0, let self else { return }
                self.count.add(1, ordering: .relaxed)
                _ = answer.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                close(connection)
            }
        }
    }

    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

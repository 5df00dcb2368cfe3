import Glibc

/// Blocking stream sockets.
enum Sockets {
    /// Where a server listens.
    enum Address: Sendable {
        case unix(path: String)
        case loopback(port: UInt16)
    }

    /// Connects; of TCP only to this machine.
    static func connect(_ address: Address) throws -> Int32 {
        switch address {
        case .unix(let path):
            let socket = try make(AF_UNIX)
            var name = try unixName(path)
            return try require("connect", socket, withBytes(&name) { Glibc.connect(socket, $0, $1) })
        case .loopback(let port):
            let socket = try make(AF_INET)
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            return try require("connect", socket, withBytes(&name) { Glibc.connect(socket, $0, $1) })
        }
    }

    /// Listens on a new unix socket.
    static func listen(_ path: String) throws -> Int32 {
        let socket = try make(AF_UNIX)
        var name = try unixName(path)
        _ = try require("bind", socket, withBytes(&name) { Glibc.bind(socket, $0, $1) })
        return try require("listen", socket, Glibc.listen(socket, 16))
    }

    /// Sends all of it; false when the other side is gone.
    static func sendAll(_ bytes: ArraySlice<UInt8>, to socket: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    private static func make(_ family: Int32) throws -> Int32 {
        let socket = Glibc.socket(family, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw ProtocolCounter.Failure(call: "socket", errno: errno) }
        return socket
    }

    private static func require(_ call: String, _ socket: Int32, _ result: Int32) throws -> Int32 {
        guard result == 0 else {
            defer { close(socket) }
            throw ProtocolCounter.Failure(call: call, errno: errno)
        }
        return socket
    }

    private static func unixName(_ path: String) throws -> sockaddr_un {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: name.sun_path) else {
            throw ProtocolCounter.Failure(call: "bind", errno: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        return name
    }

    private static func withBytes<Name>(
        _ name: inout Name,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Name>.size)) }
        }
    }
}

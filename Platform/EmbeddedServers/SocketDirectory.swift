import Glibc

/// A directory of mode 0700 for a server's unix socket: who can't enter it can't connect.
struct SocketDirectory: Sendable {
    let directory: StateDirectory
    /// Whether it lies under `/tmp` and goes with the server.
    let isTemporary: Bool

    /// `sockaddr_un.sun_path` holds 108 bytes with the final NUL (unix(7)).
    static let pathBytesMax = 107

    /// `socket` in the server's directory; where that path is too long for a socket, a new directory under `/tmp`.
    init(
        in server: StateDirectory,
        socketName: String,
        account: ServerAccount?
    ) throws(EmbeddedServerError) {
        let near = server.appending("socket")
        isTemporary = near.file(socketName).utf8.count > Self.pathBytesMax
        directory = isTemporary ? try StateDirectory.temporary(prefix: "diboas-socket-") : near
        try directory.create(mode: 0o700, owner: account)
    }
}

extension StateDirectory {
    /// A new directory of mode 0700, by itself under `/tmp`; not under TMPDIR, whose path may be too long for a socket.
    static func temporary(prefix: String, in home: String = "/tmp") throws(EmbeddedServerError) -> StateDirectory {
        var template = Array("\(home)/\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .system(call: "mkdtemp", path: "\(home)/\(prefix)", errno: errno) }
        return StateDirectory(String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
}

/// A port on 127.0.0.1 that nobody listens on at this moment; somebody else may take it before it is used.
func freeLoopbackPort() throws(EmbeddedServerError) -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .system(call: "socket", path: "127.0.0.1", errno: errno) }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let outcome = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
        }
    }
    guard outcome == 0 else { throw .system(call: "bind", path: "127.0.0.1", errno: errno) }
    return Int(UInt16(bigEndian: address.sin_port))
}

extension String {
    /// The text with every byte but the unreserved ones of RFC 3986 §2.3 as %XX.
    var percentEncoded: String {
        utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default:
                (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        .joined()
    }
}

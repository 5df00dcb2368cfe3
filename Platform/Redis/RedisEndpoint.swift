/// Why a text is not the address of a server.
public enum RedisURLError: String, Error, Sendable, CaseIterable {
    /// Neither `redis://` nor `unix://`.
    case unknownScheme = "unknown_scheme"
    /// `rediss://`: the client speaks no TLS; a local tunnel or socket is the way.
    case encryptionUnsupported = "encryption_unsupported"
    /// No host, or no absolute path of a socket.
    case missingAddress = "missing_address"
    /// A port outside 1...65535.
    case invalidPort = "invalid_port"
    /// A database that is not a number from 0 on.
    case invalidDatabase = "invalid_database"
    /// A `%` in user or password that two hexadecimal digits do not follow.
    case invalidEscape = "invalid_escape"
}

/// Where the server is and how to log in.
struct RedisEndpoint: Hashable, Sendable {
    enum Address: Hashable, Sendable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    let address: Address
    let user: String?
    let password: String?
    let database: Int

    /// Reads `redis://[user:password@]host[:port][/database]` or `unix://[user:password@]/path[?db=database]`.
    init(url: String) throws(RedisURLError) {
        guard let scheme = url.firstRange(of: "://") else { throw .unknownScheme }
        let rest = url[scheme.upperBound...]
        switch url[..<scheme.lowerBound] {
        case "redis": try self.init(tcp: rest)
        case "unix": try self.init(unix: rest)
        case "rediss": throw .encryptionUnsupported
        default: throw .unknownScheme
        }
    }

    private init(tcp rest: Substring) throws(RedisURLError) {
        let (login, place) = RedisEndpoint.splitLogin(rest)
        (user, password) = try RedisEndpoint.credentials(login)
        let parts = place.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        database = try RedisEndpoint.database(parts.count > 1 ? parts[1] : "")
        address = try RedisEndpoint.hostAndPort(parts.first ?? "")
    }

    private init(unix rest: Substring) throws(RedisURLError) {
        let (login, place) = RedisEndpoint.splitLogin(rest)
        (user, password) = try RedisEndpoint.credentials(login)
        let parts = place.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first, path.hasPrefix("/"), path.count > 1 else { throw .missingAddress }
        address = .unix(path: String(path))
        guard parts.count > 1 else {
            database = 0
            return
        }
        guard parts[1].hasPrefix("db=") else { throw .invalidDatabase }
        database = try RedisEndpoint.database(parts[1].dropFirst(3))
    }

    private static func hostAndPort(_ text: Substring) throws(RedisURLError) -> Address {
        var host = text
        var port = Substring("6379")
        if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<close]
            let tail = text[text.index(after: close)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw .missingAddress }
            if !tail.isEmpty { port = tail.dropFirst() }
        } else if let colon = text.lastIndex(of: ":") {
            (host, port) = (text[..<colon], text[text.index(after: colon)...])
        }
        guard !host.isEmpty else { throw .missingAddress }
        guard let number = Int(port), (1...65_535).contains(number) else { throw .invalidPort }
        return .tcp(host: String(host), port: number)
    }

    private static func database(_ text: Substring) throws(RedisURLError) -> Int {
        guard !text.isEmpty else { return 0 }
        guard let number = Int(text), number >= 0 else { throw .invalidDatabase }
        return number
    }

    /// Splits at the last `@`, because an unescaped one may be part of a password.
    private static func splitLogin(_ rest: Substring) -> (login: Substring?, place: Substring) {
        guard let at = rest.lastIndex(of: "@") else { return (nil, rest) }
        return (rest[..<at], rest[rest.index(after: at)...])
    }

    private static func credentials(_ login: Substring?) throws(RedisURLError) -> (user: String?, password: String?) {
        guard let login else { return (nil, nil) }
        guard let colon = login.firstIndex(of: ":") else { return (nil, try unescaped(login)) }
        let user = try unescaped(login[..<colon])
        return (user.isEmpty ? nil : user, try unescaped(login[login.index(after: colon)...]))
    }

    private static func unescaped(_ text: Substring) throws(RedisURLError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { throw .invalidEscape }
            bytes.append(value)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension RedisEndpoint: CustomStringConvertible, CustomReflectable {
    /// The address without user and password, fit for a log.
    var description: String {
        switch address {
        case .tcp(let host, let port): "redis://\(host):\(port)/\(database)"
        case .unix(let path): "unix://\(path)?db=\(database)"
        }
    }

    /// Nothing beyond the description.
    var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}

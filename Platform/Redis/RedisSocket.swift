import CHiredis
import Glibc

/// Why a connection ended or was never made.
enum ConnectionFailure: Error, Hashable, Sendable {
    /// The address can't be resolved or nobody listens there; the system's or hiredis' words.
    case unreachable(String)
    /// Connecting and logging in took too long.
    case connectTimeout
    /// The server refused the login, the database, or is loading its data.
    case refused(code: String)
    /// The server closed the connection.
    case closed
    /// The connection broke; the system's words.
    case broken(String)
    /// The bytes are not the protocol's.
    case protocolViolation
    /// A reply is longer than allowed.
    case replyTooLong
    /// No reply came for too long.
    case stalled
    /// The client stops.
    case stopped
}

/// One socket to the server: hiredis connects it and reads the protocol; used by one thread.
final class RedisSocket {
    private static let readBytes = 64 << 10
    /// Reads in one go before others get their turn.
    private static let readsMax = 16

    private let context: UnsafeMutablePointer<redisContext>
    private let replyBytesMax: Int
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readBytes, alignment: 16)
    private var output: [UInt8] = []
    private var outputStart = 0
    private var bytesSinceReply = 0
    /// Bytes handed in for writing since the connection was made.
    private(set) var bytesQueued: UInt64 = 0
    /// Bytes that the system has taken of them.
    private(set) var bytesWritten: UInt64 = 0

    var descriptor: Int32 { context.pointee.fd }
    var hasOutput: Bool { outputStart < output.count }

    /// Begins to connect.
    ///
    /// Resolving a host name blocks.
    init(connectingTo address: RedisEndpoint.Address, replyBytesMax: Int) throws(ConnectionFailure) {
        let made =
            switch address {
            case .tcp(let host, let port): redisConnectNonBlock(host, Int32(port))
            case .unix(let path): redisConnectUnixNonBlock(path)
            }
        guard let made else { throw .unreachable("out of memory") }
        (context, self.replyBytesMax) = (made, replyBytesMax)
        guard made.pointee.err == 0 else { throw .unreachable(RedisSocket.errorText(made)) }
        _ = fcntl(made.pointee.fd, F_SETFD, FD_CLOEXEC)
    }

    deinit {
        redisFree(context)
        buffer.deallocate()
    }

    /// Says whether the attempt, once the socket is writable, has made a connection.
    func finishConnecting() throws(ConnectionFailure) {
        var status: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &status, &size) == 0, status == 0 else {
            throw .unreachable(String(cString: strerror(status)))
        }
    }

    /// Queues bytes for writing.
    func enqueue(_ bytes: [UInt8]) {
        output.append(contentsOf: bytes)
        bytesQueued += UInt64(bytes.count)
    }

    /// Writes what the system takes.
    func flush() throws(ConnectionFailure) {
        while hasOutput {
            // The error is read before anything else can change it.
            let (count, reason) = output.withUnsafeBytes { bytes in
                let start = bytes.baseAddress?.advanced(by: outputStart)
                return (send(descriptor, start, bytes.count - outputStart, Int32(MSG_NOSIGNAL)), errno)
            }
            if count < 0 {
                if reason == EINTR { continue }
                if reason == EAGAIN { return }
                throw .broken(String(cString: strerror(reason)))
            }
            outputStart += count
            bytesWritten += UInt64(count)
        }
        output.removeAll(keepingCapacity: output.capacity <= RedisSocket.readBytes * 16)
        outputStart = 0
    }

    /// Reads what has come and hands over each complete reply.
    func receive(_ reply: (RedisValue) -> Void) throws(ConnectionFailure) {
        for _ in 0..<RedisSocket.readsMax {
            let (count, reason) = (recv(descriptor, buffer.baseAddress, buffer.count, 0), errno)
            if count < 0 {
                if reason == EINTR { continue }
                if reason == EAGAIN { return }
                throw .broken(String(cString: strerror(reason)))
            }
            guard count > 0 else { throw .closed }
            let fed = redisReaderFeed(
                context.pointee.reader,
                buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                count
            )
            guard fed == REDIS_OK else { throw .protocolViolation }
            bytesSinceReply += count
            try takeReplies(reply)
            guard bytesSinceReply <= replyBytesMax else { throw .replyTooLong }
            if count < buffer.count { return }
        }
    }

    private func takeReplies(_ reply: (RedisValue) -> Void) throws(ConnectionFailure) {
        while true {
            var raw: UnsafeMutableRawPointer?
            guard redisReaderGetReply(context.pointee.reader, &raw) == REDIS_OK else { throw .protocolViolation }
            guard let raw else { return }
            defer { freeReplyObject(raw) }
            bytesSinceReply = 0
            reply(RedisValue(raw.assumingMemoryBound(to: redisReply.self).pointee))
        }
    }

    private static func errorText(_ context: UnsafeMutablePointer<redisContext>) -> String {
        withUnsafeBytes(of: context.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension RedisValue {
    /// Copies hiredis' reply; its reader bounds the depth.
    fileprivate init(_ reply: redisReply) {
        switch reply.type {
        case REDIS_REPLY_STRING: self = .bytes(Array(RedisValue.bytes(reply)))
        case REDIS_REPLY_INTEGER: self = .integer(reply.integer)
        case REDIS_REPLY_STATUS: self = .status(String(decoding: RedisValue.bytes(reply), as: UTF8.self))
        case REDIS_REPLY_ERROR:
            self = .refusal(RedisRefusal(message: String(decoding: RedisValue.bytes(reply), as: UTF8.self)))
        case REDIS_REPLY_ARRAY:
            let elements = UnsafeBufferPointer(start: reply.element, count: reply.elements)
            self = .array(elements.map { $0.map { RedisValue($0.pointee) } ?? .null })
        default: self = .null
        }
    }

    private static func bytes(_ reply: redisReply) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: reply.str, count: reply.len)
    }
}

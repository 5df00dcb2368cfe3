import Cryptography

/// How a process of ours tells another one that it has admitted a request and hands it on.
///
/// The mark is an HMAC-SHA256 over method, path with query and `Authorization` under a key that only our processes
/// have. The one that gets it checks token or signature anew, but not from where it came nor whether it came before.
public struct HandOver: Sendable {
    /// The header that carries the mark.
    public static let header = "X-Handed-On"
    private static let context = Array("handed on".utf8)
    private let key: [UInt8]

    /// Marks under a secret key of at least 32 bytes, the same in every process.
    public init(key: [UInt8]) {
        precondition(key.count >= 32, "a key of less than 32 bytes")
        // Other texts are authenticated under the same secret: this one's key is its own.
        self.key = HMACSHA256.code(over: HandOver.context, key: key)
    }

    /// Marks under a key that nobody else has: for a process that is alone.
    public init() { self.init(key: RandomBytes.make(32)) }

    /// The mark of a request that is handed on.
    public func mark(of request: APIRequest) -> String {
        let authorization = request.headers["Authorization"] ?? ""
        let text = [request.wireMethod, request.path, request.rawQuery, authorization].joined(separator: "\n")
        return Hex.encode(HMACSHA256.code(over: Array(text.utf8), key: key))
    }

    /// Whether a request carries its mark.
    public func isMarked(_ request: APIRequest) -> Bool {
        guard let mark = request.headers[HandOver.header] else { return false }
        return ConstantTime.equal(Array(mark.utf8), Array(self.mark(of: request).utf8))
    }
}

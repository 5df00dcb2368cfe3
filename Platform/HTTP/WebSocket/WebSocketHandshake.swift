import Crypto
import HTTPTypes
import Kernel

/// The request that opens a WebSocket (RFC 6455 §4.2.1), and the answer to it.
enum WebSocketHandshake {
    private static let version = "13"
    private static let key = CommonFields.name("Sec-WebSocket-Key")
    private static let versionName = CommonFields.name("Sec-WebSocket-Version")

    /// The value of `Sec-WebSocket-Accept`.
    ///
    /// - Throws: 426 for what asks for no WebSocket or another version, 400 for what does it wrongly.
    static func accept(_ fields: HTTPFields) throws(Problem) -> String {
        guard hasToken("websocket", in: fields[values: .upgrade]) else { throw upgradeRequired }
        guard hasToken("upgrade", in: fields[values: .connection]) else {
            throw .malformed("upgrade_missing", in: "Connection")
        }
        guard fields[values: versionName] == [version] else { throw upgradeRequired }
        let keys = fields[values: key]
        guard keys.count == 1, isKey(keys[0]) else { throw .malformed("bad_format", in: "Sec-WebSocket-Key") }
        let hasBody = fields[.contentLength].map { $0 != "0" } ?? (fields[.transferEncoding] != nil)
        guard !hasBody else { throw .malformed("unexpected_body", in: "Content-Length") }
        return accept(key: keys[0])
    }

    /// RFC 6455 §4.2.2: the hash of the key and a constant.
    static func accept(key: String) -> String {
        base64(Array(Insecure.SHA1.hash(data: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))))
    }

    /// 426 with what would be taken (RFC 9110 §15.5.22, RFC 6455 §4.4).
    static func answer(_ problem: Problem, _ response: APIResponse) -> APIResponse {
        guard problem.status == 426 else { return response }
        return response.with("Upgrade", "websocket").with("Sec-WebSocket-Version", version)
    }

    static let upgradeRequired = Problem(
        426,
        "upgrade_required",
        "This is a WebSocket: open it with `Upgrade: websocket` and `Sec-WebSocket-Version: 13`."
    )

    private static func hasToken(_ token: String, in values: [String]) -> Bool {
        values.contains { value in
            value.split(separator: ",").contains { $0.filter { $0 != " " && $0 != "\t" }.lowercased() == token }
        }
    }

    /// Whether it is 16 bytes in base 64: 22 characters, of which the last has four bits over, and two of padding.
    private static func isKey(_ key: String) -> Bool {
        guard key.utf8.count == 24, key.hasSuffix("==") else { return false }
        return key.utf8.dropLast(2).allSatisfy { alphabet.contains($0) }
            && "AQgw".utf8.contains(key.utf8[key.utf8.index(key.utf8.startIndex, offsetBy: 21)])
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let bits = part.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - part.count))
            for place in 0..<4 {
                text.append(place > part.count ? UInt8(ascii: "=") : alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

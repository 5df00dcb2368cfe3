import HTTPTypes

/// What the head says about the body and the connection.
struct BodyFraming {
    /// Whether the client wants the connection closed after the answer.
    private(set) var wantsClose = false
    /// Whether the client waits for 100 before it sends the body (RFC 9110 §10.1.1).
    private(set) var expectsContinue = false
    private var isChunked = false
    private var length = 0

    init(_ fields: HTTPFields) {
        for field in fields {
            switch field.name.canonicalName {
            case "connection":
                let value = field.value.lowercased()
                // The decoder reads nothing more once a client has asked to go on with another protocol.
                wantsClose = wantsClose || value.contains("close") || value.contains("upgrade")
            case "expect": expectsContinue = field.value.lowercased() == "100-continue"
            case "transfer-encoding": isChunked = true
            case "content-length": length = Int(field.value) ?? .max
            default: continue
            }
        }
    }

    /// Whether an unwanted body is worth reading for the sake of the connection.
    var isSmall: Bool { !isChunked && !expectsContinue && length <= ConnectionLoop.unwantedBytesMax }
}

/// What makes a request unfit to be sent.
enum RequestCheck {
    private static let reserved: Set<String> = [
        "connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade",
    ]
    private static let nameCharacters = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz".utf8)

    /// The first fault of a request beside its URL, or nil.
    static func fault(of request: OutboundRequest, bodyBytesMax: Int) -> OutboundError.RequestFault? {
        for header in request.headers {
            let name = header.name.lowercased()
            // RFC 9110 §5.6.2 and §5.5: token and visible characters, space and tab. A line break would smuggle a
            // header.
            guard !name.isEmpty, name.utf8.allSatisfy(nameCharacters.contains),
                header.value.utf8.allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) })
            else { return .malformedHeader }
            if reserved.contains(name) { return .reservedHeader }
        }
        let takesBody = request.method != .get && request.method != .head
        return request.body.isEmpty || (takesBody && request.body.count <= bodyBytesMax) ? nil : .bodyNotAllowed
    }
}

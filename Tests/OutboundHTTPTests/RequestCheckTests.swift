import Testing

@testable import OutboundHTTP

@Suite(.timeLimit(.minutes(10))) struct RequestCheckTests {
    @Test(
        arguments: [
            ("", .malformedURL), ("example.com", .malformedURL), ("https://", .malformedURL),
            ("https://user:secret@example.com", .malformedURL), ("https://example.com/\n", .malformedURL),
            ("https://example.com/a b", .malformedURL), ("https://münchen.example", .malformedURL),
            ("https://example.com:99999/", .malformedURL), ("http://example.com", .schemeNotAllowed),
            ("ftp://example.com", .schemeNotAllowed), ("file:///etc/passwd", .schemeNotAllowed),
            ("gopher://example.com", .schemeNotAllowed),
        ] as [(String, OutboundError.RequestFault)]
    )
    func `a URL that is not https is refused`(url: String, fault: OutboundError.RequestFault) async {
        let client = HTTPClient(HTTPClientConfiguration())
        let error = await client.failure(OutboundRequest(.get, url))
        #expect(error == OutboundError(.invalidRequest(fault), .notSent))
    }

    @Test(
        arguments: [
            (OutboundHeader("", "v"), .malformedHeader), (OutboundHeader("X Y", "v"), .malformedHeader),
            (OutboundHeader("X:", "v"), .malformedHeader), (OutboundHeader("X-É", "v"), .malformedHeader),
            (OutboundHeader("X", "a\r\nY: b"), .malformedHeader), (OutboundHeader("X", "a\0"), .malformedHeader),
            (OutboundHeader("HOST", "v"), .reservedHeader), (OutboundHeader("Content-Length", "1"), .reservedHeader),
            (OutboundHeader("transfer-encoding", "chunked"), .reservedHeader),
        ] as [(OutboundHeader, OutboundError.RequestFault)]
    )
    func `a header that would break the request is refused`(header: OutboundHeader, fault: OutboundError.RequestFault) {
        let request = OutboundRequest(.get, "https://example.com", headers: [header])
        #expect(RequestCheck.fault(of: request, bodyBytesMax: 10) == fault)
    }

    @Test(arguments: [
        (OutboundRequest.Method.get, 1, true), (.head, 1, true), (.get, 0, false), (.post, 10, false),
        (.post, 11, true), (.delete, 1, false),
    ])
    func `a body goes where it is allowed, up to its bound`(
        method: OutboundRequest.Method,
        count: Int,
        isRefused: Bool
    ) {
        let request = OutboundRequest(method, "https://example.com", body: [UInt8](repeating: 0, count: count))
        #expect(RequestCheck.fault(of: request, bodyBytesMax: 10) == (isRefused ? .bodyNotAllowed : nil))
    }
}

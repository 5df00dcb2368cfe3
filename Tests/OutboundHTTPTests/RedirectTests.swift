import Testing

@testable import OutboundHTTP

@Suite(.timeLimit(.minutes(10))) struct RedirectTests {
    private static func peer(_ status: Int, to location: String) throws -> Peer {
        try Peer { request, connection in
            if request.line.contains(" /end ") {
                connection.answer(200, "end")
            } else {
                connection.answer(status, headers: ["Location: \(location)"])
            }
            return true
        }
    }

    @Test func `a redirect is an answer like any other unless the request follows it`() async throws {
        let peer = try Self.peer(302, to: "/end")
        let response = try await HTTPClient(.forTests).send(OutboundRequest(.get, peer.url))
        #expect(response.status == 302 && response.header("location") == "/end")
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `a redirect is followed where the request asks for it`(status: Int) async throws {
        let peer = try Self.peer(status, to: "../end")
        var request = OutboundRequest(.get, peer.url + "/a/b", headers: [OutboundHeader("Authorization", "key")])
        request.redirectsMax = 1
        #expect(try await HTTPClient(.forTests).send(request).body == Array("end".utf8))
        #expect(peer.requests.map { $0.header("authorization") } == ["key", "key"])
    }

    @Test func `secrets stay with the origin that they are meant for`() async throws {
        let target = try Self.peer(302, to: "/end")
        let peer = try Self.peer(302, to: target.url + "/end")
        var request = OutboundRequest(
            .get,
            peer.url,
            headers: [
                OutboundHeader("Authorization", "k"), OutboundHeader("X-Key", "k"), OutboundHeader("Accept", "a/b"),
            ]
        )
        request.redirectsMax = 1
        #expect(try await HTTPClient(.forTests).send(request).status == 200)
        let seen = try #require(target.requests.first)
        #expect(seen.header("authorization") == nil && seen.header("x-key") == nil)
        #expect(seen.header("accept") == "a/b")
    }

    @Test func `redirects end at their bound`() async throws {
        let peer = try Self.peer(302, to: "/again")
        var request = OutboundRequest(.get, peer.url)
        request.redirectsMax = 3
        #expect(try await HTTPClient(.forTests).send(request).status == 302)
        #expect(peer.requests.count == 4)
    }

    @Test func `a POST is not redirected`() async throws {
        let peer = try Self.peer(307, to: "/end")
        var request = OutboundRequest(.post, peer.url)
        request.redirectsMax = 3
        #expect(try await HTTPClient(.forTests).send(request).status == 307)
        #expect(peer.requests.count == 1)
    }

    @Test(arguments: ["ftp://127.0.0.1/", "file:///etc/passwd", "http://a:b@127.0.0.1/", "http://"])
    func `a redirect to something else than HTTP is refused`(location: String) async throws {
        let peer = try Self.peer(302, to: location)
        var request = OutboundRequest(.get, peer.url)
        request.redirectsMax = 1
        let error = await HTTPClient(.forTests).failure(request)
        #expect(error == OutboundError(.forbiddenRedirect, .outcomeUnknown))
    }

    @Test func `a redirect from https to http is refused`() throws {
        let origin = try TargetURL("https://example.com/a", allowsPlainHTTP: true)
        #expect(throws: OutboundError(.forbiddenRedirect, .notSent)) {
            try origin.redirected(to: "http://example.com/b", allowsPlainHTTP: true)
        }
        #expect(try origin.redirected(to: "//EXAMPLE.org/b", allowsPlainHTTP: true).origin == "https://example.org:443")
    }
}

import HTTP
import Kernel
import Testing

@Suite struct PageTests {
    private let demo = DemoAPI()
    private let headers: Headers = ["Authorization": "Bearer reader"]

    @Test func `pages follow one another to the end`() async throws {
        let api = demo.make()
        var target = "/v1/payments?limit=25&asset=USD"
        var seen: [Int] = []
        for _ in 0..<3 {
            let response = await api.respond("GET", target, headers: headers)
            let json = try response.json()
            seen += json["data"]?.elements?.compactMap(\.integerValue) ?? []
            guard let cursor = json["next_cursor"]?.stringValue else {
                #expect(response.headers["Link"] == nil)
                break
            }
            target = "/v1/payments?limit=25&asset=USD&cursor=\(cursor)"
            #expect(response.headers["Link"] == "<\(target)>; rel=\"next\"")
        }
        #expect(seen == Array((1...60).reversed()))
    }

    @Test func `a cursor belongs to its list and its caller`() async throws {
        let api = demo.make()
        let first = try await api.respond("GET", "/v1/payments?limit=1&asset=USD", headers: headers).json()
        let cursor = try #require(first["next_cursor"]?.stringValue)
        let targets = [("/v1/payments?asset=EUR&cursor=", "reader"), ("/v1/payments?asset=USD&cursor=", "writer")]
        for (target, token) in targets {
            let other: Headers = ["Authorization": "Bearer \(token)"]
            let response = await api.respond("GET", target + cursor, headers: other)
            #expect(response.status == 422)
            #expect(try response.code() == "bad_cursor")
        }
        let again = await api.respond("GET", "/v1/payments?limit=3&asset=USD&cursor=" + cursor, headers: headers)
        #expect(again.status == 200)
    }

    @Test func `a cursor that was tampered with is refused`() throws {
        let signer = CursorSigner(key: Array(repeating: 1, count: 32))
        let cursor = Cursor(instant: Timestamp(microseconds: -5), id: UInt128.max - 3)
        let text = signer.sign(cursor, filters: ["a", "b"])
        #expect(try signer.open(text, filters: ["a", "b"]) == cursor)
        #expect(throws: Problem.self) { try signer.open(text, filters: ["ab", ""]) }
        let stranger = CursorSigner(key: Array(repeating: 2, count: 32))
        #expect(throws: Problem.self) { try stranger.open(text, filters: ["a", "b"]) }
        for index in text.indices {
            var changed = text
            changed.replaceSubrange(index...index, with: text[index] == "A" ? "B" : "A")
            #expect(throws: Problem.self) { try signer.open(changed, filters: ["a", "b"]) }
        }
    }

    @Test func `cursors look like their published format`() {
        let signer = CursorSigner(key: Array(repeating: 1, count: 32))
        for number in 0..<200 {
            let text = signer.sign(Cursor(instant: Timestamp(seconds: Int64(number)), id: UInt128(number)), filters: [])
            #expect(Format.cursor.fault(in: text) == nil)
        }
    }

    @Test func `a page has 25 entries unless told otherwise`() async throws {
        let json = try await demo.make().respond("GET", "/v1/payments", headers: headers).json()
        #expect(json["data"]?.elements?.count == Page.limitDefault)
    }
}

import HTTP
import Logging
import ServiceLifecycle
import Testing

/// Bytes that are hardly a request, over a socket: each is answered as one that is refused, or not at all, and the
/// server goes on.
@Suite(.timeLimit(.minutes(3))) struct RandomHeadTests {
    /// SplitMix64 (Steele, Lea, Flood 2014): a seed in a failure's message repeats it.
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static let whole = [
        "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "POST /v1/payments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer writer\r\nIdempotency-Key: k\r\n"
            + "Content-Type: application/json\r\nContent-Length: 45\r\nConnection: close\r\n\r\n"
            + #"{"payee":"ada","amount":"1.00","asset":"USD"}"#,
        "POST /v1/webhooks/stripe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            + "5\r\nhello\r\n3;a=b\r\nyou\r\n0\r\nTrailer: t\r\n\r\n",
        "GET /v1/payments?limit=2&cursor=abc HTTP/1.1\r\nHost: x\r\nCookie: a=b; c=d\r\nExpect: 100-continue\r\n"
            + "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    ]
    private static let words = [
        "\r\n", "\n", "\r", "\0", " ", ":", "HTTP/1.1", "HTTP/2.0", "HTTP/0.9", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "Content-Length: 99999999999999999999\r\n", "Content-Length: -1\r\n", "Content-Length: 5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Host: y\r\n", "%00", "%zz", "/../..", "*", "\u{ff}\u{fe}", "é", ";",
    ].map { Array($0.utf8) }

    private static func head(_ random: inout SplitMix) -> [UInt8] {
        if Int.random(in: 0..<6, using: &random) == 0 {
            let count = Int.random(in: 0...400, using: &random)
            return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        }
        var bytes = Array(whole[Int.random(in: whole.indices, using: &random)].utf8)
        for _ in 0..<Int.random(in: 1...5, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...9, using: &random)))
            case 3: bytes.insert(contentsOf: words[Int.random(in: words.indices, using: &random)], at: place)
            case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 30)], at: place)
            default: bytes.removeLast(bytes.count - place)
            }
        }
        return bytes
    }

    /// The statuses of the answers on a connection; nil for what is no answer.
    private static func statuses(_ answer: String) -> [Int]? {
        guard !answer.isEmpty else { return [] }
        guard answer.hasPrefix("HTTP/1.") else { return nil }
        let lines = answer.split(separator: "\r\n").filter { $0.hasPrefix("HTTP/1.") }
        let statuses = lines.map { Int($0.split(separator: " ").dropFirst().first ?? "") }
        return statuses.contains(nil) ? nil : statuses.compactMap { $0 }
    }

    @Test(arguments: UInt64(1)...3)
    func `what is hardly a request is refused or closed, and the server goes on`(seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let heads = (0..<400).map { _ in Self.head(&random) }
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let (ports, announced) = AsyncStream<Int>.makeStream()
        let server = APIServer(
            DemoAPI().make([]),
            at: .host("127.0.0.1", port: 0),
            logger: quiet,
            onRunning: { announced.yield($0 ?? 0) }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            var client = RawClient(port: port)
            client.endsWriting = true
            let asking = client
            let refused = await withTaskGroup(of: Int.self) { asked in
                for start in stride(from: 0, to: heads.count, by: 50) {
                    asked.addTask {
                        var refused = 0
                        for head in heads[start..<min(start + 50, heads.count)] {
                            let answer = await asking.exchange([head])
                            let statuses = Self.statuses(answer)
                            let isFine = statuses?.allSatisfy { (100..<500).contains($0) || $0 == 501 || $0 == 505 }
                            #expect(isFine == true, "seed \(seed): \(head) is answered with \(answer)")
                            if statuses?.contains(where: { (400..<500).contains($0) }) == true { refused += 1 }
                        }
                        return refused
                    }
                }
                return await asked.reduce(0, +)
            }
            #expect(refused > 100, "seed \(seed)")
            let last = await client.exchange([Self.whole[0]])
            #expect(last.hasPrefix("HTTP/1.1 200 "), "\(last)")
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }
}

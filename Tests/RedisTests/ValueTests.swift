import Randomness
import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(10))) struct ValueTests {
    @Test(
        arguments: [
            ("redis://localhost", RedisEndpoint.Address.tcp(host: "localhost", port: 6379), nil, nil, 0),
            ("redis://10.0.0.1:7000/2", .tcp(host: "10.0.0.1", port: 7000), nil, nil, 2),
            ("redis://:secret@host", .tcp(host: "host", port: 6379), nil, "secret", 0),
            ("redis://secret@host", .tcp(host: "host", port: 6379), nil, "secret", 0),
            ("redis://me:a%40b@[::1]:6380/", .tcp(host: "::1", port: 6380), "me", "a@b", 0),
            ("redis://me:a@b@host", .tcp(host: "host", port: 6379), "me", "a@b", 0),
            ("unix:///run/redis.sock", .unix(path: "/run/redis.sock"), nil, nil, 0),
            ("unix://me:pw@/run/redis.sock?db=4", .unix(path: "/run/redis.sock"), "me", "pw", 4),
        ] as [(String, RedisEndpoint.Address, String?, String?, Int)]
    )
    func `an address is read`(
        url: String,
        address: RedisEndpoint.Address,
        user: String?,
        password: String?,
        database: Int
    ) throws {
        let endpoint = try RedisEndpoint(url: url)
        #expect(endpoint.address == address)
        #expect(endpoint.user == user && endpoint.password == password && endpoint.database == database)
    }

    @Test(
        arguments: [
            ("localhost:6379", .unknownScheme), ("http://localhost", .unknownScheme),
            ("rediss://localhost", .encryptionUnsupported), ("redis://", .missingAddress),
            ("redis:///1", .missingAddress),
            ("unix://relative.sock", .missingAddress), ("unix:///", .missingAddress), ("redis://host:0", .invalidPort),
            ("redis://host:65536", .invalidPort), ("redis://host:x", .invalidPort),
            ("redis://host/x", .invalidDatabase),
            ("redis://host/-1", .invalidDatabase), ("unix:///s?database=1", .invalidDatabase),
            ("redis://a:%4@host", .invalidEscape), ("redis://a:%zz@host", .invalidEscape),
        ] as [(String, RedisURLError)]
    )
    func `an address that can't be read is refused`(url: String, error: RedisURLError) {
        #expect(throws: error) { try RedisEndpoint(url: url) }
    }

    @Test func `an address shows no password`() throws {
        let endpoint = try RedisEndpoint(url: "redis://me:secret@host/1")
        var dumped = ""
        dump(endpoint, to: &dumped)
        for text in ["\(endpoint)", String(reflecting: endpoint), dumped] { #expect(!text.contains("secret")) }
    }

    @Test func `the delay doubles to its bound, half of it random, and starts over`() {
        var random = SeededRandom(1)
        var delay = ReconnectDelay(firstSeconds: 1, maxSeconds: 5)
        for step in [1.0, 2, 4, 5, 5] {
            let next = Double(delay.next(using: &random)) / 1e9
            #expect((step / 2...step).contains(next))
        }
        delay.reset()
        #expect(delay.next(using: &random) <= 1_000_000_000)
    }

    @Test func `the queue keeps its order however long it gets`() {
        var random = SeededRandom(2)
        var queue = PendingQueue<Int>()
        var (pushed, popped) = (0, 0)
        for _ in 0..<20_000 {
            if Int.random(in: 0..<5, using: &random) < 3 {
                queue.append(pushed)
                pushed += 1
            } else if let element = queue.popFirst() {
                #expect(element == popped)
                popped += 1
            }
            #expect(queue.count == pushed - popped)
            #expect(queue.first == (pushed == popped ? nil : popped))
        }
        var seen = popped
        queue.forEach { element in
            #expect(element == seen)
            seen += 1
        }
        #expect(seen == pushed)
    }

    @Test(arguments: [("WRONGTYPE Operation", "WRONGTYPE"), ("ERR", "ERR"), ("wrong thing", "ERR"), ("", "ERR")])
    func `a refusal has its first word as code`(message: String, code: String) {
        #expect(RedisRefusal(message: message).code == code)
    }
}

import Kernel
import Logging
import Observability
import Testing

@Suite struct LoggingTests {
    private let sink = MemorySink()

    private func logger(_ level: Logger.Level = .info) -> Logger {
        let (sink, clock) = (sink, ManualClock(Timestamp(seconds: 0)))
        return Logger(label: "test") { JSONLogHandler(label: $0, level: level, sink: sink, clock: clock) }
    }

    private func last() throws -> JSON {
        let line = try #require(sink.lines.last)
        #expect(line.hasSuffix("\n"))
        return try JSON.parse(Array(line.utf8))
    }

    @Test func `a line is one JSON object`() throws {
        var logger = logger()
        logger[metadataKey: "request_id"] = "req_1"
        logger.warning("two\nlines", metadata: ["count": "\(3)", "list": ["a", ["b": "c"]], "time": "mine"])
        #expect(
            try last() == [
                "time": "1970-01-01T00:00:00.000000Z", "level": "warning", "logger": "test", "message": "two\nlines",
                "count": "3", "list": ["a", ["b": "c"]], "request_id": "req_1", "metadata.time": "mine",
            ]
        )
    }

    @Test func `lines under the level are not written`() {
        logger(.warning).info("quiet")
        #expect(sink.lines.isEmpty)
    }

    @Test func `a long message is cut off`() throws {
        logger().info("\(String(repeating: "x", count: 100_000))")
        #expect(try #require(sink.lines.last).utf8.count < 5000)
    }

    @Test(arguments: [
        "password", "Authorization", "access_token", "stripe_api_key", "webhook_secret", "set-cookie", "card_cvc",
    ])
    func `what stands under a secret's name is never written`(name: String) throws {
        logger().info(
            "x",
            metadata: ["\(name)": "hunter2", "nested": ["\(name)": "hunter2"], "list": [["\(name)": "hunter2"]]]
        )
        #expect(try !#require(sink.lines.last).contains("hunter2"))
        #expect(try last()[name]?.stringValue == Redaction.mark)
    }

    @Test(arguments: [
        "failed with Bearer hunter2.abc", "Authorization: Bearer hunter2", "Authorization: Basic hunter2",
        "postgres://diboas:hunter2@localhost/diboas refused", "password=hunter2&x=1", "{\"password\": \"hunter2\"}",
        "key sk_live_hunter2", "secret whsec_hunter2", "jwt eyJhunter2.eyJzdWIi.c2ln", "token: hunter2",
        "secret:hunter2",
        "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
    ])
    func `what looks like a secret is never written`(text: String) throws {
        logger().error("\(text)", metadata: ["error": "\(text)"])
        #expect(try !#require(sink.lines.last).contains("hunter2"))
        #expect(try #require(sink.lines.last).contains(Redaction.mark))
    }

    @Test(arguments: ["4111 1111 1111 1111", "4111-1111-1111-1111", "card 4111111111111111."])
    func `card numbers are never written`(text: String) {
        #expect(!Redaction.redact(text).contains("1111"))
    }

    @Test(arguments: [
        "plain words, 12.34 USD", "https://example.com/a?b=c", "user@example.com", "postgres://localhost/diboas",
        "idempotency key k-1", "req_01jd3qkw5hf6r8v2m4x7c9tb0e", "1234567890123456", "at 2026-11-20T08:30:00.123456Z",
    ])
    func `the rest is written as it is`(text: String) {
        #expect(Redaction.redact(text) == text)
    }
}

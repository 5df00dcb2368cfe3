import DomainKit
import Kernel
import Ledger
import Logging
import Observability
import PostgreSQL
import TestSupport
import Testing

@testable import Composition

struct LedgerCheckTests {
    @Test func `a ledger that doesn't add up is complained of`() async throws {
        try await TestDatabase.with { database in
            let sink = MemorySink()
            let logger = Logger(label: "test") { JSONLogHandler(label: $0, sink: sink) }
            let runtime = DomainRuntime(
                schema: .banking,
                pool: database.pool(.banking),
                ids: IDGenerator(),
                logger: logger
            )
            let check = LedgerCheck(runtime: runtime, pauseSeconds: 60, logger: logger)
            let account = try await runtime.accounts.open(AccountKey(house: "test", .usd), mayGoNegative: true)
            try await check.check()
            #expect(sink.lines.isEmpty)
            _ = try await database.pool().query(
                "update banking.ledger_accounts set posted = -5, version = 1 where id = \(account)"
            )
            try await check.check()
            #expect(sink.lines.count == 1)
            #expect(sink.lines[0].contains(#""asset":"USD""#) && sink.lines[0].contains(#""sum":"-5""#))
        }
    }
}

import Logging
import PostgreSQL
import ServiceLifecycle
import TestSupport
import Testing

struct ListenerTests {
    private let logger = Logger(label: "listener") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a listener beside `body` and shuts it down after it.
    private func listening<Answer: Sendable>(
        _ listener: Listener,
        _ body: (inout AsyncStream<Listener.Event>.Iterator) async throws -> Answer
    ) async throws -> Answer {
        let services = ServiceGroup(services: [listener], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            var events = listener.events.makeAsyncIterator()
            let answer = try await body(&events)
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            return answer
        }
    }

    @Test func `notifications of its channels come in order, after the mark that it listens`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool()
            let listener = Listener(database.options(), channels: ["news", "other_news"], logger: logger)
            try await listening(listener) { events in
                #expect(await events.next() == .connected)
                for number in 0..<3 { _ = try await pool.query("select pg_notify('news', \("\(number)"))") }
                _ = try await pool.query("select pg_notify('unheard', 'x')")
                _ = try await pool.query("notify other_news")
                for expected in [("news", "0"), ("news", "1"), ("news", "2"), ("other_news", "")] {
                    guard case .notification(let notification) = await events.next() else {
                        Issue.record("something else")
                        return
                    }
                    #expect((notification.channel, notification.payload) == expected)
                }
            }
        }
    }

    @Test func `a broken connection is made anew and marked`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool()
            var options = database.options()
            options.applicationName = "listens"
            let listener = Listener(options, channels: ["news"], logger: logger)
            try await listening(listener) { events in
                for round in 0..<3 {
                    #expect(await events.next() == .connected)
                    _ = try await pool.query("select pg_notify('news', \("\(round)"))")
                    guard case .notification(let notification) = await events.next() else {
                        Issue.record("no notification")
                        return
                    }
                    #expect(notification.payload == "\(round)")
                    let ended = try await pool.query(
                        """
                        select pg_terminate_backend(pid) from pg_stat_activity
                        where application_name = 'listens' and datname = current_database()
                        """
                    )
                    #expect(ended.count == 1)
                }
                #expect(await events.next() == .connected)
            }
        }
    }

    @Test func `a notification of a transaction comes with its commit and not without`() async throws {
        struct Own: Error {}
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool()
            let listener = Listener(database.options(), channels: ["news"], logger: logger)
            try await listening(listener) { events in
                #expect(await events.next() == .connected)
                await #expect(throws: Own.self) {
                    try await pool.withTransaction { transaction in
                        _ = try await transaction.query("select pg_notify('news', 'undone')")
                        throw Own()
                    }
                }
                try await pool.withTransaction { _ = try await $0.query("select pg_notify('news', 'done')") }
                guard case .notification(let notification) = await events.next() else {
                    Issue.record("no notification")
                    return
                }
                #expect(notification.payload == "done")
            }
        }
    }

    @Test func `a reader that falls behind is told that it missed something`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool()
            var options = database.options()
            options.applicationName = "listens"
            let listener = Listener(options, channels: ["news"], logger: logger)
            try await listening(listener) { events in
                #expect(await events.next() == .connected)
                let session: SQL = """
                    select pid from pg_stat_activity where application_name = 'listens' and datname = current_database()
                    """
                let pid: Int = try await pool.query(session)[0][0]
                // Different payloads, or the server would make one notification of them.
                let count = Listener.bufferedMax + 100
                _ = try await pool.query("select pg_notify('news', n::text) from generate_series(1, \(count)) n")
                try await eventually { try await pool.query("\(session) and pid = \(pid)").isEmpty }
                var received = 0
                while case .notification = await events.next() { received += 1 }
                // What ended the count was `.connected`, after what the buffer held.
                #expect(received >= Listener.bufferedMax - 1 && received < count)
            }
        }
    }

    @Test func `it ends with its service, and its events with it`() async throws {
        try await TestDatabase.with(.empty) { database in
            let pool = database.pool()
            var options = database.options()
            options.applicationName = "listens"
            let listener = Listener(options, channels: ["news"], logger: logger)
            try await listening(listener) { events in #expect(await events.next() == .connected) }
            for await _ in listener.events {}
            try await eventually {
                try await pool.query(
                    "select from pg_stat_activity where application_name = 'listens' and datname = current_database()"
                ).isEmpty
            }
        }
    }

    @Test func `a server that isn't there is tried again`() async throws {
        let listener = Listener(
            ConnectionOptions(url: "postgresql:///x?host=/nowhere"),
            channels: ["news"],
            logger: logger
        )
        try await listening(listener) { _ in try await Task.sleep(for: .milliseconds(300)) }
        var events = listener.events.makeAsyncIterator()
        #expect(await events.next() == nil)
    }
}

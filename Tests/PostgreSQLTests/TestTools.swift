import PostgreSQL
import Synchronization
import Testing

/// Waits until a condition holds; an issue after two minutes.
func eventually(_ condition: () async throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    for _ in 0..<12_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("it didn't come about", sourceLocation: sourceLocation)
}

/// A list that several tasks append to.
final class Recorder<Element: Sendable>: Sendable {
    private let kept = Mutex<[Element]>([])

    var all: [Element] { kept.withLock { $0 } }

    func append(_ element: Element) { kept.withLock { $0.append(element) } }
}

/// The refusal that `body` ends with; nil when it ends otherwise.
func refusal<Answer>(
    _ body: () async throws -> Answer,
    sourceLocation: SourceLocation = #_sourceLocation
) async -> PostgresError.Refusal? {
    do {
        _ = try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch PostgresError.refused(let refusal) {
        return refusal
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
    return nil
}

extension Connection {
    var pid: Int {
        get async throws { try await query("select pg_backend_pid()")[0][0] }
    }
}

extension Pool {
    /// Ends a session from outside and waits until it is gone.
    func terminate(_ pid: Int) async throws {
        let gone: Bool = try await query("select pg_terminate_backend(\(pid)::int, 5000)")[0][0]
        #expect(gone)
    }
}

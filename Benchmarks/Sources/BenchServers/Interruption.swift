import UnixSignals

/// Ctrl-C, after which servers are stopped and files removed all the same.
public enum Interruption {
    /// Runs `body`, and cancels it at the first interrupt.
    public static func cancelling(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { throw CancellationError() }
                try await Task.sleep(for: .seconds(86_400))
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

import Foundation
import Glibc
import Synchronization

/// The server that most tests talk to; it ends with the process.
enum SharedServer {
    private enum State {
        case idle
        case starting([CheckedContinuation<RunningServer, any Error>])
        case started(Result<RunningServer, any Error>)
    }

    /// What Persona signs with.
    static let personaSecret = "wbhsec_feb7d942d7042214959be82112896c8a"

    private static let state = Mutex(State.idle)

    /// The server, started by the first who asks; the others wait for it.
    static func get() async throws -> RunningServer {
        let isFirst = state.withLock { state in
            guard case .idle = state else { return false }
            state = .starting([])
            return true
        }
        if isFirst { await start() }
        return try await withCheckedThrowingContinuation { continuation in
            let started: Result<RunningServer, any Error>? = state.withLock { state in
                switch state {
                case .started(let result): return result
                case .starting(let waiting): state = .starting(waiting + [continuation])
                case .idle: preconditionFailure("asked for before it was begun")
                }
                return nil
            }
            if let started { continuation.resume(with: started) }
        }
    }

    private static func start(in home: String) async throws -> RunningServer {
        try await RunningServer.start(home: home, settings: ["PERSONA_WEBHOOK_SECRETS": personaSecret])
    }

    private static func start() async {
        let result: Result<RunningServer, any Error>
        do {
            result = .success(try await start(in: try TemporaryFolder("e2e").path))
            atexit { SharedServer.end() }
        } catch {
            result = .failure(error)
        }
        let waiting = state.withLock { state -> [CheckedContinuation<RunningServer, any Error>] in
            defer { state = .started(result) }
            if case .starting(let waiting) = state { return waiting }
            return []
        }
        for continuation in waiting { continuation.resume(with: result) }
    }

    /// The last act of the process: the server is told to end, and its data is removed when it is gone.
    private static func end() {
        let started = state.withLock { state -> RunningServer? in
            if case .started(.success(let server)) = state { return server }
            return nil
        }
        guard let server = started else { return }
        kill(server.pid, SIGINT)
        for _ in 0..<400 where server.isAlive { poll(nil, 0, 50) }
        try? FileManager.default.removeItem(atPath: server.home)
    }
}

import Kernel
import Synchronization

/// Ends a connection whose caller's session or key has ended.
///
/// A token is looked at when it comes; a connection outlives it by far.
final class CallerWatch: Sendable {
    private let authenticator: any Authenticator
    private let caller: Mutex<Principal?>

    init(_ authenticator: any Authenticator, caller: Principal?) {
        self.authenticator = authenticator
        self.caller = Mutex(caller)
    }

    /// The caller that a token stands for, who is watched from now on.
    func authenticate(_ token: String, _ request: APIRequest) async throws -> Principal {
        let principal = try await authenticator.principal(bearer: token, request: request)
        caller.withLock { $0 = principal }
        return principal
    }

    /// Asks time and again whether the caller still counts, and closes with 1008 when not; until it is cancelled.
    ///
    /// While that can't be asked, nothing changes.
    func run(_ socket: WebSocket, everySeconds: Int) async {
        while (try? await Task.sleep(for: .seconds(everySeconds))) != nil {
            guard let principal = caller.withLock({ $0 }) else { continue }
            do {
                _ = try await authenticator.current(principal)
            } catch let refusal as any ProblemConvertible where refusal.problem.status == 401 {
                return socket.close(WebSocketClose(.policy, "session_ended"))
            } catch {
                continue
            }
        }
    }
}

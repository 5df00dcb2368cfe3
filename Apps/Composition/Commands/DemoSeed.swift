import Foundation
import Kernel
import Logging
import OutboundHTTP
import ServiceLifecycle
import Settings

/// Two customers with a little money each, made through the public API once it answers.
struct DemoSeed: Service {
    static let password = "correct-horse-battery-9"
    /// How long the API may take to answer.
    private static let attemptsMax = 100

    let settings: Settings
    let logger: Logger
    let whenDone: @Sendable () -> Void

    /// Makes what isn't there yet, says that it is done, and waits for the end.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            do {
                try await load()
            } catch {
                // A server that couldn't start ends this too, and says why itself.
                if Task.isCancelled { return }
                logger.warning("the demo data could not be loaded", metadata: ["error": "\(error)"])
            }
            whenDone()
            try? await gracefulShutdown()
        }
    }

    private func load() async throws {
        let api = DemoClient(url: settings.http.publicURL, logger: logger)
        for _ in 0..<DemoSeed.attemptsMax {
            if let answer = try? await api.send(.get, "/readyz"), answer.status == 200 { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        for (name, amount) in [("ada", "250.00"), ("bob", "40.00")] {
            let credentials: JSON = [
                "email": .string("\(name)@example.com"), "username": .string(name),
                "password": .string(DemoSeed.password),
            ]
            let made = try await api.send(.post, "/v1/auth/register", body: credentials)
            guard made.status == 201 else { continue }
            let token = try await api.login("\(name)@example.com", DemoSeed.password)
            _ = try await api.send(.post, "/v1/me/verification", token: token, body: ["name": .string(name)])
            _ = try await api.send(
                .post,
                "/v1/banking/deposits",
                token: token,
                key: "seed-\(name)",
                body: ["amount": .string(amount), "asset": "USD"]
            )
        }
    }
}

import Foundation
import Kernel
import Logging
import OutboundHTTP
import Settings

/// Two customers with a little money each, made through the public API.
enum DemoSeed {
    static let password = "correct-horse-battery-9"

    /// Makes what isn't there yet.
    static func load(_ settings: Settings, logger: Logger) async throws {
        let api = DemoClient(url: settings.http.publicURL, logger: logger)
        for (name, amount) in [("ada", "250.00"), ("bob", "40.00")] {
            let credentials: JSON = [
                "email": .string("\(name)@example.com"), "username": .string(name), "password": .string(password),
            ]
            let made = try await api.send(.post, "/v1/auth/register", body: credentials)
            guard made.status == 201 else { continue }
            let token = try await api.login("\(name)@example.com", password)
            _ = try await api.send(.post, "/v1/me/verification", token: token, body: ["name": .string(name)])
            _ = try await api.send(
                .post, "/v1/banking/deposits", token: token, key: "seed-\(name)",
                body: ["amount": .string(amount), "asset": "USD"])
        }
    }
}

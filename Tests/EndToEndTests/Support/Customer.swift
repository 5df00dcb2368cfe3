import Foundation
import Kernel
import Testing

/// A customer of a running server, with a session.
struct Customer: Sendable {
    static let password = "correct-horse-battery-9"

    let server: RunningServer
    let client: WireClient
    let id: String
    let username: String
    let token: String

    var email: String { "\(username)@example.com" }

    /// Registers, signs in, sets up a second factor and, unless told otherwise, is verified; from a loopback address
    /// of its own, since registrations are limited per address.
    static func make(_ name: String, on server: RunningServer, isVerified: Bool = true) async throws -> Customer {
        let username = name + String(UInt32.random(in: 0...UInt32.max), radix: 36)
        let parts = (0..<3).map { _ in UInt8.random(in: 1...254) }
        let client = WireClient(port: server.port, source: "127.\(parts[0]).\(parts[1]).\(parts[2])")
        let credentials: JSON = [
            "email": .string("\(username)@example.com"), "username": .string(username), "password": .string(password),
        ]
        // Passwords are slow to hash on purpose, so that many customers at once would wait for each other too long.
        await Gate.registrations.enter()
        defer { Gate.registrations.leave() }
        let made = try await client.send(
            "POST",
            "/v1/auth/register",
            headers: [("Content-Type", "application/json")],
            body: credentials.serialized()
        )
        try #require(made.status == 201, "\(made.readable)")
        let token = try await signIn("\(username)@example.com", client)
        let customer = Customer(server: server, client: client, id: made.text("id"), username: username, token: token)
        if isVerified {
            let answer = try await customer.post("/v1/me/verification", ["name": .string(username)])
            try #require(answer.text("kyc_status") == "approved", "\(answer.readable)")
        }
        try await SecondFactor.enrol(client, token)
        return customer
    }

    /// An access token.
    static func signIn(_ email: String, _ client: WireClient) async throws -> String {
        let body: JSON = ["email": .string(email), "password": .string(password)]
        let answer = try await client.send(
            "POST",
            "/v1/auth/login",
            headers: [("Content-Type", "application/json")],
            body: body.serialized()
        )
        try #require(answer.status == 200, "\(answer.readable)")
        return answer.text("access_token")
    }

    func get(_ path: String) async throws -> Answer {
        try await client.send("GET", path, headers: [("Authorization", "Bearer \(token)")])
    }

    func post(_ path: String, _ body: JSON, key: String? = nil) async throws -> Answer {
        try await send("POST", path, body: body.serialized(), key: key)
    }

    func send(
        _ method: String,
        _ path: String,
        body: [UInt8]?,
        key: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        var all = [("Authorization", "Bearer \(token)")] + headers
        if let key { all.append(("Idempotency-Key", key)) }
        if body != nil, !headers.contains(where: { $0.0 == "Content-Type" }) {
            all.append(("Content-Type", "application/json"))
        }
        return try await client.send(method, path, headers: all, body: body)
    }

    /// What is available, by domain, account and asset: `banking checking USD` is `96.30`.
    func balances() async throws -> [String: String] {
        var found: [String: String] = [:]
        for domain in ["banking", "investing", "defi"] {
            let answer = try await get("/v1/\(domain)/balances")
            try #require(answer.status == 200, "\(answer.readable)")
            for balance in answer.json["data"]?.elements ?? [] {
                let words = ["account", "asset"].map { balance[$0]?.stringValue ?? "" }
                found["\(domain) \(words.joined(separator: " "))"] = balance["available"]?.stringValue
            }
        }
        return found
    }

    /// Waits until what is shown of all domains together is what each domain says by itself.
    func waitForProjections(within seconds: Double = 60) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try await projected() != balances(), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
        }
        let (shown, real) = (try await projected(), try await balances())
        #expect(shown == real)
    }

    private func projected() async throws -> [String: String] {
        let answer = try await get("/v1/balances")
        try #require(answer.status == 200, "\(answer.readable)")
        let entries = (answer.json["data"]?.elements ?? []).map { balance in
            let words = ["domain", "account", "asset"].map { balance[$0]?.stringValue ?? "" }
            return (words.joined(separator: " "), balance["available"]?.stringValue ?? "")
        }
        return Dictionary(entries) { first, _ in first }
    }

    /// What is available in checking, in US dollars.
    func dollars() async throws -> String { try await balances()["banking checking USD"] ?? "none" }

    /// Reads a resource until its status is one of some, and answers with it as it is then.
    @discardableResult
    func wait(_ path: String, until statuses: Set<String>, within seconds: Double = 120) async throws -> Answer {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var last = try await get(path)
        while !statuses.contains(last.text("status")), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
            last = try await get(path)
        }
        try #require(statuses.contains(last.text("status")), "\(path): \(last.readable)")
        return last
    }

    /// Waits until the dollars in checking are as expected, since events of providers may come one after the other.
    func waitForDollars(_ expected: String, within seconds: Double = 120) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try await dollars() != expected, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(try await dollars() == expected)
    }

    /// Adds money by card and waits until it is there; 100.00 USD bring 96.30.
    @discardableResult
    func deposit(
        _ amount: String = "100.00",
        key: String = UUID().uuidString,
        source: String? = nil
    ) async throws -> String {
        let started = try await startDeposit(amount, key: key, source: source)
        try await wait("/v1/banking/transactions/\(started.text("id"))", until: ["completed"])
        return started.text("id")
    }

    /// Adds money by card, and doesn't wait for the provider.
    func startDeposit(_ amount: String, key: String = UUID().uuidString, source: String? = nil) async throws -> Answer {
        var members = [JSON.Member("amount", .string(amount)), JSON.Member("asset", "USD")]
        if let source { members.append(JSON.Member("source", .string(source))) }
        let answer = try await post("/v1/banking/deposits", .object(members), key: key)
        try #require(answer.status == 202, "\(answer.readable)")
        return answer
    }

    /// Sends dollars to somebody.
    func pay(_ payee: String, _ amount: String, key: String = UUID().uuidString) async throws -> Answer {
        try await post(
            "/v1/banking/payments",
            ["payee": .string(payee), "amount": .string(amount), "asset": "USD"],
            key: key
        )
    }

    /// Links a card or bank account whose token decides how the simulated provider behaves.
    func link(_ type: String, token: String) async throws -> String {
        let answer = try await post(
            "/v1/banking/accounts",
            ["type": .string(type), "label": "Linked", "token": .string(token), "last_digits": "4321"]
        )
        try #require(answer.status == 201, "\(answer.readable)")
        return answer.text("id")
    }
}

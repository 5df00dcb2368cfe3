import Crypto
import Foundation
import Kernel
import Testing

/// Who may see and do what.
@Suite(.serialized)
struct AccessTests {
    @Test func `what belongs to another customer is not there`() async throws {
        let server = try await SharedServer.get()
        let (owner, stranger) = (
            try await Customer.make("owner", on: server), try await Customer.make("other", on: server)
        )
        let deposit = try await owner.deposit()
        try await stranger.deposit()
        let bank = try await owner.link("wire", token: "tok_ok")
        let transfer = try await owner.post(
            "/v1/banking/transfers",
            ["amount": "5.00", "asset": "USD", "to": "investing"],
            key: UUID().uuidString
        )
        for path in [
            "transactions/\(deposit)", "transactions/\(deposit)/explain", "accounts/\(bank)",
            "transfers/\(transfer.text("id"))",
        ] {
            #expect(try await owner.get("/v1/banking/\(path)").status == 200)
            Problems.check(try await stranger.get("/v1/banking/\(path)"), 404, "not_found", path)
        }
        let theft = try await stranger.post(
            "/v1/banking/withdrawals",
            ["amount": "1.00", "asset": "USD", "destination": .string(bank)],
            key: UUID().uuidString
        )
        Problems.check(theft, 404, "not_found", "to somebody else's account")
        #expect(try await stranger.dollars() == "96.30")
    }

    @Test func `without a token that holds, nothing is answered`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("token", on: server)
        let parts = customer.token.split(separator: ".").map(String.init)
        try #require(parts.count == 3)
        let tokens = [
            nil, "", "x", "a.b.c", customer.token + "x", AccessTests.unsigned(parts), AccessTests.bySomebodyElse(parts),
            AccessTests.expired(parts), String(repeating: "a", count: 5_000),
        ]
        for token in tokens {
            let headers = token.map { [("Authorization", "Bearer \($0)")] } ?? []
            let answer = try await customer.client.send("GET", "/v1/me", headers: headers)
            Problems.check(answer, 401, "unauthenticated", token ?? "none")
            #expect(answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
        }
        #expect(try await customer.get("/v1/me").status == 200)
    }

    @Test func `a session that was ended opens nothing`() async throws {
        let customer = try await Customer.make("gone", on: try await SharedServer.get())
        #expect(try await customer.send("POST", "/v1/auth/logout", body: nil).status == 204)
        Problems.check(try await customer.get("/v1/me"), 401, "unauthenticated", "after signing out")
    }

    @Test func `a customer who isn't identified moves little, and nothing out`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("new", on: server, isVerified: false)
        let much = try await customer.post(
            "/v1/banking/deposits",
            ["amount": "1000.00", "asset": "USD"],
            key: UUID().uuidString
        )
        Problems.check(much, 422, "identification_required", "a large deposit")
        try await customer.deposit("100.00")
        let bank = try await customer.link("wire", token: "tok_ok")
        let out = try await customer.post(
            "/v1/banking/withdrawals",
            ["amount": "10.00", "asset": "USD", "destination": .string(bank)],
            key: UUID().uuidString
        )
        Problems.check(out, 422, "identification_required", "a withdrawal")
        #expect(try await customer.dollars() == "96.30")
    }

    @Test func `an operator locks a customer, who then moves nothing`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("locked", on: server)
        try await customer.deposit()
        let name = "staff" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
        let made = try await Program.run(
            ["users", "create-operator", "\(name)@example.com", "--username", name],
            environment: server.environment,
            input: Customer.password + "\n"
        )
        #expect(made.status == 0, "\(made.errors)")
        let token = try await Customer.signIn("\(name)@example.com", customer.client)
        try await SecondFactor.enrol(customer.client, token)
        let operatorHeaders = [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")]
        let locked = try await customer.client.send(
            "POST",
            "/v1/operator/users/\(customer.id)/status",
            headers: operatorHeaders,
            body: Array(#"{"status":"locked","reason":"a test"}"#.utf8)
        )
        #expect(locked.status == 200, "\(locked.readable)")
        let refused = try await customer.pay("@ada", "1.00")
        #expect([401, 403].contains(refused.status), "\(refused.readable)")
    }

    /// The same claims without a signature.
    private static func unsigned(_ parts: [String]) -> String {
        base64URL(Array(#"{"alg":"none","typ":"JWT"}"#.utf8)) + "." + parts[1] + "."
    }

    /// The same claims, signed by a key that isn't ours.
    private static func bySomebodyElse(_ parts: [String]) -> String { signed(parts[0], parts[1]) }

    /// Claims whose time is over.
    private static func expired(_ parts: [String]) -> String {
        signed(parts[0], base64URL(Array(#"{"iss":"x","sub":"usr_01m7xr1ppwe1k85tbvw9284z3v","exp":1}"#.utf8)))
    }

    private static func signed(_ head: String, _ claims: String) -> String {
        let key = P256.Signing.PrivateKey()
        let signature = (try? key.signature(for: Array("\(head).\(claims)".utf8)))?.rawRepresentation ?? Data()
        return "\(head).\(claims).\(base64URL(Array(signature)))"
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

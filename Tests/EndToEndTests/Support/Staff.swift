import Foundation
import Kernel
import Testing

/// An operator of a running server, with a session.
struct Staff: Sendable {
    private let client: WireClient
    private let token: String

    /// Makes one by the command, with another role besides if there is one, and signs in.
    ///
    /// It comes from the address of a customer, since sign-ins are limited per address.
    static func make(on server: RunningServer, beside customer: Customer, role: String? = nil) async throws -> Staff {
        let name = "staff" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
        let made = try await Program.run(
            ["users", "create-operator", "\(name)@example.com", "--username", name],
            environment: server.environment,
            input: Customer.password + "\n"
        )
        try #require(made.status == 0, "\(made.errors)")
        if let role {
            try await server.sql(
                """
                insert into platform.user_roles (user_id, role, granted_by, granted_at)
                select id, '\(role)', 'test', now() from platform.users where username = '\(name)'
                """
            )
        }
        let token = try await Customer.signIn("\(name)@example.com", customer.client)
        try await SecondFactor.enrol(customer.client, token)
        return Staff(client: customer.client, token: token)
    }

    private init(client: WireClient, token: String) { (self.client, self.token) = (client, token) }

    func get(_ path: String) async throws -> Answer {
        try await client.send("GET", path, headers: [("Authorization", "Bearer \(token)")])
    }

    func post(_ path: String, _ body: JSON, headers: [(String, String)] = []) async throws -> Answer {
        try await client.send(
            "POST",
            path,
            headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")] + headers,
            body: body.serialized()
        )
    }
}

extension RunningServer {
    /// Does something to the data that no command and no route does; one column, a line for each row.
    @discardableResult
    func sql(_ statement: String) async throws -> [String] {
        let url = try #require(environment["DATABASE_URL"])
        let outcome = try await Program.run(
            "/usr/lib/postgresql/15/bin/psql",
            ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, url]
        )
        try #require(outcome.status == 0, "\(outcome.errors)")
        return outcome.output.split(separator: "\n").map(String.init)
    }
}

extension Customer {
    /// The user's id as the database has it.
    var uuid: String { get throws { try #require(ID<User>(wire: id)).description } }

    /// The customer's side of Banking's ledger: what stands on each account, what is held, how often it was posted to.
    func ledger() async throws -> [String] {
        try await server.sql(
            """
            select concat_ws(' ', kind, asset, posted, reserved, version) from banking.ledger_accounts
            where owner = '\(try uuid)' and version > 0 order by kind, asset
            """
        )
    }

    /// The id of an account of ours.
    func account(_ type: String) async throws -> String {
        let list = try await get("/v1/banking/accounts")
        let found = list.json["data"]?.elements?.first { $0["type"]?.stringValue == type }
        return try #require(found?["id"]?.stringValue, "\(list.readable)")
    }

    /// Starts a withdrawal to a bank account.
    func withdraw(_ amount: String, to bank: String, key: String = UUID().uuidString) async throws -> Answer {
        try await post(
            "/v1/banking/withdrawals",
            ["amount": .string(amount), "asset": "USD", "destination": .string(bank)],
            key: key
        )
    }

    /// What the explanation of a transaction has of a kind.
    func timeline(_ transaction: String, _ kind: String) async throws -> [JSON] {
        let answer = try await get("/v1/banking/transactions/\(transaction)/explain")
        try #require(answer.status == 200, "\(answer.readable)")
        return (answer.json["timeline"]?.elements ?? []).filter { $0["kind"]?.stringValue == kind }
    }
}

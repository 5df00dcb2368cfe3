import Foundation
import Kernel
import Ledger
import Measuring
import Migrations
import PostgreSQL

/// Customers who are registered, verified and signed in, with money.
struct Customers: Sendable {
    struct Customer: Sendable {
        let id: ID<User>
        let username: String
        let token: String
    }

    private static let password = "seven pale lanterns 5218"
    /// Cents on each account at the start: far more than a run spends, and within nobody's way.
    private static let funds: Int128 = 15_000_000
    /// Registrations and sign-ins are limited for each address; so many customers share one.
    private static let perAddress = 20
    private static let transfersAtOnce = 500

    let customers: [Customer]
    let address: LocalAddress
    let run: String

    /// Makes customers by the public API and funds them by the ledger.
    static func make(_ count: Int, at address: LocalAddress, databaseURL: String) async throws -> Customers {
        let run = String(UInt32.random(in: .min ... .max), radix: 36)
        let customers = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try (0..<count).map { try register($0, run, address) } })
            }
        }
        try await fund(customers, databaseURL)
        try await mayPayOften(databaseURL)
        return Customers(customers: customers, address: address, run: run)
    }

    /// Payments of one dollar, each from the next customer to a random other one.
    var payments: RequestSource {
        RequestSource(expectedStatus: 201) { number in
            let payer = customers[number % customers.count]
            let step = Int.random(in: 1..<customers.count)
            let payee = customers[(number + step) % customers.count]
            let body: JSON = ["payee": .string("@" + payee.username), "amount": "1.00", "asset": "USD"]
            return HTTPRequest.bytes(
                "POST",
                "/v1/banking/payments",
                to: address,
                headers: [("Authorization", "Bearer " + payer.token), ("Idempotency-Key", "bench-\(run)-\(number)")],
                body: body.serialized()
            )
        }
    }

    private static func register(_ number: Int, _ run: String, _ address: LocalAddress) throws -> Customer {
        // 127.0.0.2 and those after it.
        var connection = HTTPConnection(socket: try address.connect(from: UInt8(2 + number / perAddress)))
        func ask(
            _ path: String,
            _ body: JSON,
            _ status: Int,
            token: String? = nil,
            _ connection: inout HTTPConnection
        ) throws -> JSON {
            let headers = token.map { [("Authorization", "Bearer " + $0)] } ?? []
            let answer = try connection.exchange(
                HTTPRequest.bytes("POST", path, to: address, headers: headers, body: body.serialized())
            )
            guard answer.status == status else {
                throw ConnectionFailure.unexpected(
                    status: answer.status,
                    body: String(decoding: answer.body, as: UTF8.self)
                )
            }
            return try JSON.parse(answer.body)
        }
        let (email, username) = ("bench-\(run)-\(number)@example.com", "bench\(run)\(number)")
        let made = try ask(
            "/v1/auth/register",
            ["email": .string(email), "username": .string(username), "password": .string(password)],
            201,
            &connection
        )
        let tokens = try ask(
            "/v1/auth/login",
            ["email": .string(email), "password": .string(password)],
            200,
            &connection
        )
        guard let id = made["id"]?.stringValue.flatMap({ ID<User>(wire: $0) }),
            let token = tokens["access_token"]?.stringValue
        else { throw ConnectionFailure.malformed("an answer without id or token") }
        _ = try ask("/v1/me/verification", ["name": .string("Bench \(number)")], 200, token: token, &connection)
        return Customer(id: id, username: username, token: token)
    }

    private static func fund(_ customers: [Customer], _ databaseURL: String) async throws {
        guard let dollars = Asset(code: "USD") else { preconditionFailure("USD is an asset") }
        let purse = Purse(schema: .banking, kind: "checking", house: "provider_clearing:sandbox")
        try await fund(customers, databaseURL, purse, [(dollars, funds)])
    }

    /// Whoever pays more often in a day than the usual rules say waits for a person.
    private static func mayPayOften(_ databaseURL: String) async throws {
        let options = ConnectionOptions(
            url: databaseURL,
            applicationName: "http-bench",
            role: Roles.role(of: .platform)
        )
        let pool = Pool(options, size: 1)
        defer { pool.close() }
        _ = try await pool.query(
            """
            insert into platform.compliance_rule_sets (version, status, parameters, reason, created_by, created_at)
            select 1, 'active', '{"velocity_count": 1000000000, "velocity_units": 1000000000}', 'measured',
                'http-bench', now()
            where not exists (select from platform.compliance_rule_sets where status = 'active')
            """
        )
    }

    /// Where money goes that customers are given, and where it comes from.
    struct Purse {
        let schema: Schema
        let kind: String
        let house: String
    }

    /// Gives each customer so many minor units of each asset.
    static func fund(
        _ customers: [Customer],
        _ databaseURL: String,
        _ purse: Purse,
        _ amounts: [(asset: Asset, amount: Int128)]
    ) async throws {
        let pool = Pool(
            ConnectionOptions(url: databaseURL, applicationName: "http-bench", role: Roles.role(of: purse.schema)),
            size: 2
        )
        defer { pool.close() }
        let ids = IDGenerator()
        let ledger = Ledger(schema: purse.schema, pool: pool)
        let book = LedgerAccounts(schema: purse.schema, pool: pool, ids: ids)
        var items: [LedgerItem] = []
        for (asset, amount) in amounts {
            let house = try await book.open(AccountKey(house: purse.house, asset), mayGoNegative: true)
            for customer in customers {
                let account = try await book.open(AccountKey(customer.id, purse.kind, asset))
                let gift = NewTransfer(id: ids.next(), debit: house, credit: account, amount: amount, code: "deposit")
                items.append(LedgerItem(operation: ids.next(), commands: [.transfer(gift)]))
            }
        }
        for start in stride(from: 0, to: items.count, by: transfersAtOnce) {
            let part = Array(items[start..<min(start + transfersAtOnce, items.count)])
            for outcome in try await ledger.submit(batch: part) {
                guard case .done = outcome else { throw ConnectionFailure.malformed("a deposit: \(outcome)") }
            }
        }
    }
}

import Compliance
import Cryptography
import DataProtection
@testable import DeFi
import DomainKit
import Foundation
import HTTP
import Identity
import Kernel
import Logging
import PostgreSQL
import Synchronization
import TestSupport
import Testing
import WalletCrypto
import WalletSigners

/// Wallets over a database of their own, behind their routes; without Redis, as the program runs when it is gone.
struct WalletWorld: Sendable {
    let database: TestDatabase
    let pool: Pool
    let parts: WalletParts
    let identity: Identity
    let api: API
    let clock: ManualClock
    let screening = StubScreening()
    let ids: IDGenerator
    private let runtime: DomainRuntime

    /// Runs `body` with wallets; `contracts` is the node, `lockSeconds` the lock of new addresses.
    static func with<Answer: Sendable>(
        contracts: (any ContractAccounts)? = nil,
        lockSeconds: Int64 = AddressBook.lockSecondsDefault,
        _ body: (WalletWorld) async throws -> Answer
    ) async throws -> Answer {
        let directory = NSTemporaryDirectory() + "keys-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        return try await TestDatabase.with { database in
            try await body(try await WalletWorld(database, directory, contracts, lockSeconds))
        }
    }

    private init(
        _ database: TestDatabase,
        _ directory: String,
        _ contracts: (any ContractAccounts)?,
        _ lockSeconds: Int64
    ) async throws {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let clock = ManualClock(SystemClock().now())
        let ids = IDGenerator()
        (self.database, self.clock, self.ids) = (database, clock, ids)
        pool = database.pool(.defi, size: 8)
        runtime = DomainRuntime(schema: .defi, pool: pool, ids: ids, logger: quiet)
        let threads = WorkerThreads(threads: 2, queuedMax: 100)
        let masters = try LocalMasterKeys(ring: [(number: 1, key: Array(repeating: 7, count: 32))])
        identity = Identity(
            pool: database.pool(.platform),
            hasher: PasswordHasher(cost: 4, threads: threads),
            keys: try await SigningKeys.open(directory: directory, threads: threads, clock: clock),
            personalData: PersonalValues(pool: database.pool(.platform), masters: masters, ids: ids, clock: clock),
            issuer: "https://api.example.com",
            ids: ids,
            clock: clock
        )
        parts = WalletParts(
            runtime,
            ids: ids,
            clock: clock,
            publicURL: "https://api.example.com",
            screening: screening,
            sessions: identity.provenSignIn,
            contracts: contracts,
            lockSeconds: lockSeconds
        )
        api = API(
            identity.routes + parts.routes,
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(
                authenticator: Callers(identity: identity.authenticator),
                clock: clock,
                ids: ids,
                logger: quiet,
                privateMaterial: PrivateMaterialScreen()
            )
        )
    }

    var operations: WalletOperations { WalletOperations(parts: parts, runtime: runtime, ids: ids) }

    /// A user's id is a token by itself here; others are identity's.
    struct Callers: Authenticator {
        let identity: TokenAuthenticator

        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            // A user's id and what they have proven: `usr_….due` owes a second factor, `usr_….key` is a program's key.
            let parts = token.split(separator: ".").map(String.init)
            guard let user = parts.first.flatMap({ ID<User>(wire: $0) }) else {
                return try await identity.principal(bearer: token, request: request)
            }
            let assurances: [String: Assurance] = ["due": .secondFactorDue, "key": .signature]
            let assurance = parts.last.flatMap { assurances[$0] } ?? .password
            return Principal(user: user, permissions: ["defi:read", "defi:move"], assurance: assurance)
        }
    }

    /// Sends a request as a user, or as nobody.
    @discardableResult
    func send(
        _ method: String,
        _ path: String,
        _ body: JSON? = nil,
        by user: ID<User>? = nil,
        token: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        var fields = headers.map { (name: $0.0, value: $0.1) }
        if let token = token ?? user?.wire { fields.append(("Authorization", "Bearer " + token)) }
        if body != nil { fields.append(("Content-Type", "application/json")) }
        let response = await api.respond(method, path, headers: Headers(fields), body: body?.serialized() ?? [])
        let json = try response.encodedBody().map { try JSON.parse($0.bytes) } ?? .null
        let answer = Answer(status: response.status, json: json)
        expectDeclared(answer, method, path)
        return answer
    }

    /// Every answer is one that its route declares.
    private func expectDeclared(_ answer: Answer, _ method: String, _ path: String) {
        let parts = path.prefix { $0 != "?" }.dropFirst().split(separator: "/")
        let route = api.routes.first { route in
            route.method.rawValue == method && route.path.segments.count == parts.count
                && zip(route.path.segments, parts).allSatisfy { segment, part in
                    if case .literal(let text) = segment { text == part } else { part.contains("_") }
                }
        }
        guard let route else { return }
        if answer.status < 400 {
            let shape = route.responses[answer.status]
            #expect(shape != nil, "\(route.operationID) \(answer.status)")
            if let schema = shape?.schema {
                #expect(schema.faults(in: answer.json).isEmpty, "\(route.operationID): \(answer.json)")
            }
        } else if !WalletWorld.everywhere.contains(answer.code) {
            let declared = route.problems[answer.status] ?? []
            #expect(declared.contains(answer.code), "\(route.operationID) \(answer.status) \(answer.code)")
        }
    }

    private static let everywhere: Set<String> = [
        "unauthenticated", "forbidden", "invalid_request", "not_found", "precondition_required", "version_mismatch",
        "rate_limited", "private_material",
    ]

    /// Adds a wallet and answers with its id on the wire.
    func add(_ wallet: TestWallet, for user: ID<User>, type: String = "hot") async throws -> String {
        let added = try await send(
            "POST",
            "/v1/defi/wallets",
            ["account": .string(wallet.account), "label": "Mine", "type": .string(type)],
            by: user
        )
        #expect(added.status == 201, "\(added.json)")
        return added.text("id")
    }

    /// Asks for a challenge.
    func challenge(_ wallet: String, for user: ID<User>, form: String = "text") async throws -> Answer {
        try await send(
            "POST",
            "/v1/defi/wallets/challenges",
            ["wallet": .string(wallet), "form": .string(form)],
            by: user
        )
    }

    /// Submits a signature.
    func verify(
        _ wallet: String,
        _ challenge: String,
        _ signature: String,
        for user: ID<User>
    ) async throws -> Answer {
        try await send(
            "POST",
            "/v1/defi/wallets/\(wallet)/verify",
            ["challenge": .string(challenge), "signature": .string(signature)],
            by: user
        )
    }

    /// Adds and proves a wallet, and answers with its id on the wire.
    func link(_ wallet: TestWallet, for user: ID<User>) async throws -> String {
        let id = try await add(wallet, for: user)
        let challenge = try await challenge(id, for: user)
        let verified = try await verify(
            id,
            challenge.text("id"),
            try wallet.sign(challenge.text("message")),
            for: user
        )
        #expect(verified.status == 200, "\(verified.json)")
        return id
    }

    /// The texts of a statement with one column.
    func texts(_ statement: SQL) async throws -> [String] { try await pool.query(statement).map { try $0[0] } }

    /// One value of the schema, by a statement with one column and row.
    func value<Value: SQLDecodable>(_ statement: SQL, as _: Value.Type = Value.self) async throws -> Value {
        try await pool.query(statement)[0][0]
    }
}

/// What a request was answered with.
struct Answer: Sendable {
    let status: Int
    let json: JSON

    func text(_ name: String) -> String { json[name]?.stringValue ?? "" }
    /// The problem's code.
    var code: String { text("code") }
    /// The faults as `pointer code`.
    var faults: [String] {
        json["errors"]?.elements?.map { "\($0["pointer"]?.stringValue ?? "") \($0["code"]?.stringValue ?? "")" } ?? []
    }
}

/// Compliance that says what a test wants of an account.
final class StubScreening: AddressScreening {
    private let outcomes = Mutex<[String: ComplianceAnswer.Outcome]>([:])

    func say(_ outcome: ComplianceAnswer.Outcome, of account: String) { outcomes.withLock { $0[account] = outcome } }

    /// A payout as its destination's address.
    func screen(_ payout: Payout) async throws -> ComplianceAnswer {
        let account = payout.destination.account
        return try await screen(
            ScreenedAddress(subject: payout.subject, user: payout.user, account: account, use: .payout)
        )
    }

    func screen(_ address: ScreenedAddress) async throws -> ComplianceAnswer {
        let outcome = outcomes.withLock { $0[address.account] } ?? .approve
        return ComplianceAnswer(checks: [
            ComplianceAnswer.Check(kind: .sanctions, outcome: outcome, score: 0, flags: ["listed"], rule: "test.v1")
        ])
    }
}

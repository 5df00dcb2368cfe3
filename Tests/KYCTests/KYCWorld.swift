import Cryptography
import DataProtection
import Foundation
import HTTP
import Kernel
import Logging
import Messaging
import PostgreSQL
import Synchronization
import TestSupport
import Testing
import Webhooks

@testable import Identity
@testable import KYC

/// Identification over a database of its own, behind its routes, on a clock that stands until it is moved.
struct KYCWorld: Sendable {
    static let persona = ["wbhsec_feb7d942d7042214959be82112896c8a", "wbhsec_09f4ade60cf541c52412ded13076bca9"]
    static let sumsub = "yA3kW9dVfLz0tQ1mR6pX"
    static let picture: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0] + Array("a face".utf8)

    let pool: Pool
    let clock: ManualClock
    let ids: IDGenerator
    let data: PersonalValues
    let applications: KYCApplications
    let expiry: KYCExpiry
    let mailbox = Mailbox()
    let writer: LetterWriter
    let worker: InboxWorker
    let api: API

    /// Runs `body` with a world in which a vendor looks at applications, or the staff for nil.
    @discardableResult
    static func with<Answer: Sendable>(
        vendor: String? = nil,
        _ body: (KYCWorld) async throws -> Answer
    ) async throws -> Answer {
        let directory = NSTemporaryDirectory() + "keys-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        return try await TestDatabase.with { database in
            try await body(try await KYCWorld(database, vendor, directory))
        }
    }

    private init(_ database: TestDatabase, _ vendor: String?, _ directory: String) async throws {
        pool = database.pool(.platform, size: 8)
        // Partitions are made around the present, in which ids are; the clock is moved by years.
        clock = ManualClock(SystemClock().now())
        ids = IDGenerator()
        let masters = try LocalMasterKeys(ring: [(number: 1, key: Array(repeating: 7, count: 32))])
        data = PersonalValues(pool: pool, masters: masters, ids: ids, clock: clock)
        let threads = WorkerThreads(threads: 1, queuedMax: 100)
        let identity = Identity(
            pool: pool,
            hasher: PasswordHasher(cost: 4, threads: threads),
            keys: try await SigningKeys.open(directory: directory + "/jwt", threads: threads, clock: clock),
            personalData: data,
            mail: mailbox,
            issuer: "https://api.example.com",
            ids: ids,
            clock: clock
        )
        applications = KYCApplications(
            pool: pool,
            data: data,
            identity: identity,
            provider: vendor,
            ids: ids,
            clock: clock
        )
        expiry = KYCExpiry(pool: pool, identity: identity, clock: clock)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        writer = try #require(identity.letterWriter(logger: logger))
        let inbox = Inbox(pool: pool, schema: .platform, ids: ids, logger: logger)
        let vendors = try VendorWebhooks(persona: KYCWorld.persona, sumsub: [KYCWorld.sumsub], inbox: inbox)
        worker = InboxWorker(
            inbox: inbox,
            handlers: vendors.handlers(applications),
            signal: WorkSignal(.inbox, of: .platform),
            logger: logger
        )
        let cursors = CursorSigner(key: Array(repeating: 9, count: 32))
        api = API(
            KYCRoutes(applications).routes + KYCReviewRoutes(KYCReview(applications), cursors: cursors).routes
                + vendors.routes,
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(authenticator: Names(), clock: clock, ids: ids, logger: logger)
        )
    }

    /// A token is a user's id, and for staff a word before it.
    private struct Names: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            let isStaff = token.hasPrefix("staff.")
            guard let user = ID<User>(wire: String(token.dropFirst(isStaff ? 6 : 0))) else {
                throw Problem.unauthenticated
            }
            return Principal(
                user: user,
                permissions: [Permission(isStaff ? "kyc:review" : "me")],
                roles: [isStaff ? "compliance_officer" : "customer"],
                assurance: isStaff ? .signature : .password
            )
        }
    }

    /// Somebody who registered.
    func user() async throws -> ID<User> {
        let id: ID<User> = ids.next()
        let (address, hash) = ("\(id)@example.com", "$2a$04$" + String(repeating: "x", count: 53))
        let username = "u" + String(id.value, radix: 36).suffix(12)
        _ = try await pool.query(
            """
            insert into platform.users (id, email, username, password_hash, created_at, updated_at)
            values (\(id), \(address), \(username), \(hash), \(clock.now()), \(clock.now()))
            """
        )
        return id
    }

    /// Sends a request and answers with status and body.
    @discardableResult
    func send(
        _ method: String,
        _ path: String,
        _ body: JSON? = nil,
        bytes: [UInt8]? = nil,
        by token: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> (status: Int, body: JSON) {
        var fields: Headers = [:]
        if body != nil { fields.append("Content-Type", "application/json") }
        if let token { fields.append("Authorization", "Bearer " + token) }
        for (name, value) in headers { fields.append(name, value) }
        let answer = await api.respond(method, path, headers: fields, body: bytes ?? body?.serialized() ?? [])
        let encoded = answer.encodedBody()
        return (answer.status, encoded.flatMap { try? JSON.parse($0.bytes) } ?? .null)
    }

    /// The bytes that a route answers with, if it does.
    func bytes(_ path: String, by token: String) async throws -> [UInt8]? {
        let answer = await api.respond("GET", path, headers: ["Authorization": "Bearer " + token], body: [])
        return answer.status == 200 ? answer.encodedBody()?.bytes : nil
    }

    /// A member of staff, as the token of one.
    func officer() async throws -> String { "staff." + (try await user()).wire }

    /// Decides on an application.
    @discardableResult
    func decide(_ id: String, _ decision: String, by officer: String) async throws -> (status: Int, body: JSON) {
        let body: JSON = ["decision": .string(decision), "reason": "As the papers say."]
        return try await send("POST", "/v1/operator/identity/applications/\(id)/decision", body, by: officer)
    }

    /// Has an application of a user approved by two people.
    func identify(_ user: ID<User>) async throws {
        let id = try await submitted(for: user)
        for officer in [try await officer(), try await officer()] { try await decide(id, "approved", by: officer) }
    }

    /// Opens an application, and answers with its id on the wire.
    func opened(_ level: String, for user: ID<User>) async throws -> String {
        let answer = try await send(
            "POST",
            "/v1/me/identity/applications",
            KYCWorld.ana(level),
            by: user.wire
        )
        return answer.body["id"]?.stringValue ?? "\(answer)"
    }

    /// What Ana asks for.
    static func ana(_ level: String, born: String = "1990-02-28") -> JSON {
        [
            "level": .string(level), "legal_name": "Ana Ruiz", "birth_date": .string(born), "nationality": "PT",
            "address": "Rua das Flores 1, Porto",
        ]
    }

    /// An application with all documents, handed in.
    func submitted(for user: ID<User>) async throws -> String {
        let id = try await opened("full", for: user)
        for kind in ["passport", "proof_of_address"] {
            let path = "/v1/me/identity/applications/\(id)/documents/\(kind)"
            _ = try await send("PUT", path, bytes: KYCWorld.picture, by: user.wire)
        }
        _ = try await send("POST", "/v1/me/identity/applications/\(id)/submission", by: user.wire)
        return id
    }

    func status(of user: ID<User>) async throws -> String {
        try await pool.query("select kyc_status from platform.users where id = \(user)")[0][0]
    }

    /// The name of the level that counts for a customer.
    func level(of user: ID<User>) async throws -> String {
        try await send("GET", "/v1/me/identity", by: user.wire).body["level"]?.stringValue ?? ""
    }

    func count(_ statement: SQL) async throws -> Int { try await pool.query(statement)[0][0] }
}

/// Keeps what is mailed, and refuses it while it is away.
final class Mailbox: MailTransport {
    /// It is away.
    struct Away: Error {}

    private let state = Mutex<(mails: [Mail], isAway: Bool)>(([], false))

    /// What was mailed.
    var mails: [Mail] { state.withLock { $0.mails } }

    func setAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

    func deliver(_ mail: Mail) async throws {
        try state.withLock { state in
            guard !state.isAway else { throw Away() }
            state.mails.append(mail)
        }
    }
}

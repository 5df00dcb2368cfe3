import Foundation
import Kernel
import Testing

/// What a server writes while everything secret passes through it.
struct LogSecrecyTests {
    @Test(.timeLimit(.minutes(5)))
    func `no secret of a full run stands in its logs, or in the clear in its database`() async throws {
        let home = try TemporaryFolder("secrecy")
        let server = try await RunningServer.start(
            home: home.path,
            settings: [
                "DIBOAS_LOG_LEVEL": "trace", "DIBOAS_MAIL_DIRECTORY": home.path + "/mail",
                "DIBOAS_CONFIRM_ADDRESSES": "off",
            ]
        )
        var secrets = try await pass(through: server)
        secrets += try await LogSecrecyTests.reset(server, mail: home.path + "/mail")
        secrets += try LogSecrecyTests.keys(in: home.path)
        let material = try await offer(to: server)
        secrets += material
        #expect(secrets.count > 20 && secrets.allSatisfy { $0.utf8.count >= 8 })
        let dump = try await Program.run(
            "/usr/lib/postgresql/15/bin/pg_dump",
            ["--inserts", try #require(server.environment["DATABASE_URL"])]
        )
        try #require(dump.status == 0 && dump.output.contains("platform.users"), "\(dump.errors)")
        await server.stop()
        let logs = try LogSecrecyTests.logs(in: home.path)
        #expect(logs.contains { $0.path.hasSuffix("server.log") && !$0.text.isEmpty })
        for (place, secret) in secrets.enumerated() {
            for log in logs { #expect(!log.text.contains(secret), "secret \(place) stands in \(log.path)") }
            #expect(!dump.output.contains(secret), "secret \(place) stands in the database")
        }
        // What came from a wallet is nowhere at all: no file of the program, PostgreSQL or Redis has it.
        let list = try TemporaryFolder("material")
        defer { list.remove() }
        let lines = material.flatMap { $0.split(separator: "\n") }.filter { !$0.hasPrefix("-----") }
        try lines.joined(separator: "\n").write(toFile: list.path + "/list", atomically: true, encoding: .utf8)
        let found = try await Program.run("/usr/bin/grep", ["-rlaF", "-f", list.path + "/list", home.path])
        #expect(found.status == 1, "\(found.output)")
        home.remove()
    }

    /// Offers private material in every part of a request, as somebody who is signed in; answers with its spellings.
    private func offer(to server: RunningServer) async throws -> [String] {
        let client = WireClient(port: server.port)
        let (email, password) = (JSON.string("odd@example.com"), JSON.string("Cobalt-harbour-55-wren"))
        func post(_ path: String, _ body: JSON) async throws -> Answer {
            let headers = [("Content-Type", "application/json")]
            return try await client.send("POST", path, headers: headers, body: body.serialized())
        }
        let person: JSON = ["email": email, "username": "odd", "password": password]
        #expect(try await post("/v1/auth/register", person).status == 201)
        let tokens = try await post("/v1/auth/login", ["email": email, "password": password])
        return try await SecretOffers(client: client, token: tokens.text("access_token")).all()
    }

    /// Does what has secrets in it, rightly and wrongly; answers with them.
    private func pass(through server: RunningServer) async throws -> [String] {
        let client = WireClient(port: server.port)
        let password = "Vellum-quartz-81-ostrich"
        let credentials: JSON = ["email": "sly@example.com", "username": "sly", "password": .string(password)]
        let signIn: JSON = ["email": "sly@example.com", "password": .string(password)]
        func post(_ path: String, _ body: JSON, _ token: String? = nil) async throws -> Answer {
            let bearer = token.map { [("Authorization", "Bearer \($0)")] } ?? []
            let headers = bearer + [("Content-Type", "application/json")]
            return try await client.send("POST", path, headers: headers, body: body.serialized())
        }
        #expect(try await post("/v1/auth/register", credentials).status == 201)
        #expect(try await post("/v1/auth/register", credentials).status == 409)
        let tokens = try await post("/v1/auth/login", signIn)
        let token = tokens.text("access_token")
        let begun = try await post("/v1/me/two-factor", ["password": .string(password)], token)
        let factor = SecondFactor(text: begun.text("secret"))
        let code = try #require(factor).code(at: SystemClock().now())
        let confirmed = try await post("/v1/me/two-factor/confirm", ["code": .string(code)], token)
        let codes = confirmed.json["recovery_codes"]?.elements?.compactMap(\.stringValue) ?? []
        #expect(codes.count == 10)
        let key = try await post(
            "/v1/me/api-keys",
            ["label": "bot", "algorithm": "hmac_sha256", "scopes": ["read"]],
            token
        )
        let wrong = "Wrong-" + password
        let bad: JSON = ["email": "sly@example.com", "password": .string(wrong)]
        #expect(try await post("/v1/auth/login", bad).status == 401)
        let refreshed = try await post("/v1/auth/refresh", ["refresh_token": .string(tokens.text("refresh_token"))])
        // Where no secret belongs.
        for path in ["/v1/me?token=\(token)", "/v1/\(token)", "/v1/me/sessions/\(token)"] {
            #expect(try await client.send("GET", path, headers: [("X-Api-Key", token)]).status >= 400)
        }
        _ = try await post(
            "/v1/auth/login",
            ["email": "sly@example.com", "password": .string(wrong), "token": .string(token)]
        )
        let recovery = try #require(codes.first)
        #expect(try await post("/v1/auth/step-up", ["code": .string(recovery)], token).status == 200)
        #expect(try await post("/v1/auth/step-up", ["code": .string(recovery)], token).status == 422)
        let strange = try await wander(client, token)
        let passed = [tokens, refreshed].flatMap { [$0.text("refresh_token"), $0.text("access_token")] }
        let signatures = passed.compactMap { $0.split(separator: ".").last.map { String($0) } }
        let papers = try await identify(client, token)
        return strange + papers + [password, wrong, begun.text("secret"), key.text("secret")] + codes + signatures
    }

    /// Sends webhooks that nobody signed, and what no wallet is; answers with what was secret in them.
    private func wander(_ client: WireClient, _ token: String) async throws -> [String] {
        let (signature, phrase) = (
            "5ec4e7" + String(repeating: "a7", count: 29),
            "legal winner thank year wave sausage worth useful legal "
                + "winner thank yellow"
        )
        let headers = [
            "Persona-Signature": "t=1795200000,v1=" + signature, "webhook-signature": "v1," + signature,
            "Stripe-Signature": "t=1795200000,v1=" + signature,
        ]
        for source in ["sandbox", "stripe", "persona"] {
            let forged = try await client.send(
                "POST",
                "/v1/webhooks/\(source)",
                headers: headers.map { ($0.key, $0.value) } + [("Content-Type", "application/json")],
                body: Array(#"{"id":"evt_1"}"#.utf8)
            )
            #expect(forged.status >= 400, "\(source) \(forged.readable)")
        }
        let wallet = try await client.send(
            "POST",
            "/v1/defi/wallets",
            headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")],
            body: (["label": .string(phrase)] as JSON).serialized()
        )
        #expect(wallet.status >= 400, "\(wallet.readable)")
        return [signature, phrase]
    }

    /// Sets the password anew by a mailed token, which is used twice; answers with token and password.
    private static func reset(_ server: RunningServer, mail: String) async throws -> [String] {
        let client = WireClient(port: server.port)
        func post(_ path: String, _ body: JSON) async throws -> Int {
            let headers = [("Content-Type", "application/json")]
            return try await client.send("POST", path, headers: headers, body: body.serialized()).status
        }
        #expect(try await post("/v1/auth/password-reset", ["email": "sly@example.com"]) == 202)
        let deadline = ContinuousClock.now + .seconds(60)
        var token: String?
        while token == nil, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
            for name in (try? FileManager.default.contentsOfDirectory(atPath: mail)) ?? [] {
                let text = (try? String(contentsOfFile: mail + "/" + name, encoding: .utf8)) ?? ""
                token = text.firstRange(of: "emt_").map { String(text[$0.lowerBound...].prefix(47)) } ?? token
            }
        }
        let (known, password) = (try #require(token), "Quarry-vellum-27-heron")
        let body: JSON = ["token": .string(known), "password": .string(password)]
        #expect(try await post("/v1/auth/password-reset/confirm", body) == 204)
        #expect(try await post("/v1/auth/password-reset/confirm", body) == 422)
        return [known, password]
    }

    /// Applies with an address and a document; answers with them, the document also as a dump writes it.
    private func identify(_ client: WireClient, _ token: String) async throws -> [String] {
        let (address, document) = ("Rua dos Segredos 77, Porto", "%PDF-1.7 of nobody's business")
        let application: JSON = [
            "level": "full", "legal_name": "Sly Stone", "birth_date": "1990-01-02", "nationality": "PT",
            "address": .string(address),
        ]
        let bearer = ("Authorization", "Bearer \(token)")
        let opened = try await client.send(
            "POST",
            "/v1/me/identity/applications",
            headers: [bearer, ("Content-Type", "application/json")],
            body: application.serialized()
        )
        let added = try await client.send(
            "PUT",
            "/v1/me/identity/applications/\(opened.text("id"))/documents/passport",
            headers: [bearer, ("Content-Type", "application/octet-stream")],
            body: Array(document.utf8)
        )
        #expect(added.status == 200, "\(added.readable)")
        let hex = document.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return [address, document, hex]
    }

    /// The keys and secrets of the server itself.
    private static func keys(in home: String) throws -> [String] {
        let secrets = try JSON.parse(Array(try Data(contentsOf: URL(fileURLWithPath: home + "/secrets.json"))))
        var found = ["DIBOAS_CURSOR_SECRET", "DIBOAS_SANDBOX_WEBHOOK_SECRETS"].compactMap { secrets[$0]?.stringValue }
        for folder in ["master-keys", "audit-keys", "keys"] {
            for file in (try? FileManager.default.contentsOfDirectory(atPath: "\(home)/\(folder)")) ?? [] {
                let text = try String(contentsOfFile: "\(home)/\(folder)/\(file)", encoding: .utf8)
                found += text.split(separator: "\n").map { String($0) }.filter { !$0.hasPrefix("-----") }
            }
        }
        return found
    }

    /// Everything that was written as a log, by the program and by its servers.
    private static func logs(in home: String) throws -> [(path: String, text: String)] {
        let files = FileManager.default.enumerator(atPath: home)?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".log") || $0.contains("/log/") }.compactMap { path in
            FileManager.default.contents(atPath: home + "/" + path).map { (path, String(decoding: $0, as: UTF8.self)) }
        }
    }
}

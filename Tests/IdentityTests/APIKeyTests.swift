import Cryptography
import HTTP
import Kernel
import PostgreSQL
import Randomness
import Testing

@testable import Identity

struct APIKeyTests {
    private func customer(_ fixture: Fixture) async throws -> String {
        let (token, _) = try await fixture.customer()
        try await fixture.enrol(token)
        return token
    }

    @Test(arguments: ["hmac_sha256", "ed25519"])
    func `a signed request is its user's, within the key's scopes`(algorithm: String) async throws {
        try await Fixture.with { fixture in
            let token = try await customer(fixture)
            let signer = try await Signer.make(fixture, token, algorithm: algorithm, scopes: ["trade"])
            let echo = try await signer.send(fixture, "POST", "/v1/echo", ["text": "a"])
            #expect(echo.status == 200 && echo.json == ["text": "a"])
            let probe = try await signer.send(fixture, "GET", "/v1/probe")
            #expect(probe.json["permissions"] == ["investing:move"])
            // What the scope doesn't hold is closed, the user's own account included.
            #expect(try await signer.send(fixture, "GET", "/v1/me").code == "forbidden")
            let key: JSON = ["label": "a", "algorithm": "hmac_sha256", "scopes": ["read"]]
            #expect(try await signer.send(fixture, "POST", "/v1/me/api-keys", key).code == "forbidden")
            let listed = try await fixture.send("GET", "/v1/me/api-keys", token: token).json["data"]?.elements ?? []
            #expect(listed.count == 1)
            #expect(listed.first?["last_used_at"]?.stringValue == fixture.clock.now().description)
            #expect(listed.first?["secret"] == nil)
        }
    }

    @Test func `whatever of a signed request is changed, it doesn't count`() async throws {
        try await Fixture.with { fixture in
            let signer = try await Signer.make(fixture, try await customer(fixture))
            let now = fixture.clock.now()
            let body: JSON = ["text": "a"]
            let good = try signer.authorization("POST", "/v1/echo?x=1", body: body.serialized(), at: now)
            func send(_ method: String, _ target: String, _ body: JSON?, _ value: String) async throws -> Answer {
                try await fixture.send(method, target, body, headers: [("Authorization", value)])
            }
            let later = good.replacing("time=\(now.milliseconds)", with: "time=\(now.milliseconds + 1)")
            let changed: [(String, String, JSON?, String)] = [
                ("POST", "/v1/echo?x=2", body, good), ("POST", "/v1/echo", body, good),
                ("POST", "/v1/echo?x=1", ["text": "b"], good), ("POST", "/v1/echo?x=1", body, later),
                ("POST", "/v1/echo?x=1", body, good + "A"), ("POST", "/v1/echo?x=1", body, String(good.dropLast())),
                ("GET", "/v1/probe", nil, good),
            ]
            for (method, target, body, value) in changed {
                let answer = try await send(method, target, body, value)
                #expect(answer.status == 401 && answer.code == "unauthenticated", "\(target) \(value)")
            }
        }
    }

    @Test func `a signature counts once, also fifty times at once and in another process`() async throws {
        try await Fixture.with { fixture in
            let signer = try await Signer.make(fixture, try await customer(fixture))
            let sibling = try await fixture.sibling()
            let value = try signer.authorization("GET", "/v1/probe", at: fixture.clock.now())
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for number in 0..<50 {
                    let process = number % 2 == 0 ? fixture : sibling
                    group.addTask { try await process.send("GET", "/v1/probe", headers: [("Authorization", value)]) }
                }
                return try await group.reduce(into: [Answer]()) { $0.append($1) }
            }
            #expect(answers.count { $0.status == 200 } == 1)
            #expect(answers.count { $0.code == "signature_replayed" } == 49)
            // What is over by its time is forgotten, and refused by its time.
            _ = try await fixture.identity.sweep()
            #expect(try await fixture.value("select count(*) from platform.api_requests") == 1)
            fixture.clock.advance(seconds: 31)
            let late = try await fixture.send("GET", "/v1/probe", headers: [("Authorization", value)])
            #expect(late.code == "timestamp_out_of_window")
            fixture.clock.advance(seconds: 120)
            _ = try await fixture.identity.sweep()
            #expect(try await fixture.value("select count(*) from platform.api_requests") == 0)
        }
    }

    @Test(arguments: [(-30, 200), (30, 200), (-31, 401), (31, 401)] as [(Int64, Int)])
    func `the time of a request may be some seconds off`(seconds: Int64, status: Int) async throws {
        try await Fixture.with { fixture in
            let signer = try await Signer.make(fixture, try await customer(fixture))
            let time = fixture.clock.now().adding(seconds: seconds)
            #expect(try await signer.send(fixture, "GET", "/v1/probe", at: time).status == status)
        }
    }

    @Test func `a key counts from its addresses alone`() async throws {
        try await Fixture.with { fixture in
            let token = try await customer(fixture)
            let terms: JSON = ["label": "a", "algorithm": "hmac_sha256", "scopes": ["withdraw"]]
            let bare = try await fixture.send("POST", "/v1/me/api-keys", terms, token: token)
            #expect(bare.code == "key_terms" && bare.faults == ["/addresses needed_to_withdraw"])
            let signer = try await Signer.make(
                fixture,
                token,
                scopes: ["withdraw"],
                addresses: ["192.0.2.0/28", "2001:db8::/32"]
            )
            for (address, status) in [
                ("192.0.2.7", 200), ("192.0.2.16", 403), ("2001:db8::1", 200), ("2001:db9::1", 403), ("", 403),
                ("::ffff:192.0.2.7", 200),
            ] {
                let time = fixture.clock.now().adding(seconds: Int64.random(in: -20...20))
                let answer = try await signer.send(fixture, "GET", "/v1/probe", at: time, from: address)
                #expect(answer.status == status, "\(address)")
                fixture.clock.advance(seconds: 60)
            }
        }
    }

    @Test func `a key ends when it is revoked, when its time is over, with its user and with the factor`() async throws
    {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.customer()
            let (_, codes) = try await fixture.enrol(token)
            func works(_ signer: Signer) async throws -> Bool {
                fixture.clock.advance(seconds: 1)
                return try await signer.send(fixture, "GET", "/v1/probe").status == 200
            }
            let revoked = try await Signer.make(fixture, token)
            #expect(try await works(revoked))
            let gone = try await fixture.send("DELETE", "/v1/me/api-keys/\(revoked.id)", token: token)
            #expect(gone.status == 204)
            #expect(try await !works(revoked))
            #expect(try await fixture.send("DELETE", "/v1/me/api-keys/\(revoked.id)", token: token).status == 404)

            let kept = try await Signer.make(fixture, token)
            let other = try await fixture.customer("grace", email: "grace@example.com")
            #expect(try await fixture.send("DELETE", "/v1/me/api-keys/\(kept.id)", token: other.token).status == 404)
            #expect(try await works(kept))
            _ = try await fixture.pool.query("update platform.users set status = 'locked' where id = \(id)")
            fixture.clock.advance(seconds: 5)
            #expect(try await !works(kept))
            _ = try await fixture.pool.query("update platform.users set status = 'active' where id = \(id)")
            #expect(try await works(kept))
            let off = try await fixture.send(
                "POST",
                "/v1/me/two-factor/disable",
                ["code": .string(codes[0])],
                token: token
            )
            #expect(off.status == 204)
            fixture.clock.advance(seconds: 5)
            #expect(try await !works(kept))
            try await fixture.enrol(token)
            #expect(try await !works(kept))

            let over = try await Signer.make(fixture, token)
            #expect(try await works(over))
            fixture.clock.advance(seconds: 90 * 86_400)
            #expect(try await !works(over))
        }
    }

    @Test func `the secret can't be read from the database, and keys are few`() async throws {
        try await Fixture.with(policy: { $0.apiKeysMax = 2 }) { fixture in
            let (token, _) = try await fixture.customer()
            let terms: JSON = ["label": "a", "algorithm": "hmac_sha256", "scopes": ["read"]]
            #expect(
                try await fixture.send("POST", "/v1/me/api-keys", terms, token: token).code == "two_factor_required"
            )
            try await fixture.enrol(token)
            let signers = [try await Signer.make(fixture, token), try await Signer.make(fixture, token)]
            #expect(try await fixture.send("POST", "/v1/me/api-keys", terms, token: token).code == "too_many_keys")
            for signer in signers {
                guard case .hmac(let secret) = signer.secret else { continue }
                let found: Int = try await fixture.value(
                    "select count(*) from platform.encrypted_user_data where position(\(Bytes(secret)) in envelope) > 0"
                )
                #expect(found == 0)
            }
            let dump: String = try await fixture.value("select string_agg(a::text, '') from platform.audit_log a")
            #expect(dump.contains("api_key.made"))
        }
    }

    @Test(
        arguments: [
            ("{\"algorithm\":\"ed25519\"}", "/public_key missing"),
            (
                "{\"algorithm\":\"hmac_sha256\",\"public_key\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
                "/public_key unexpected"
            ),
            (
                "{\"algorithm\":\"ed25519\",\"public_key\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
                "/public_key no_public_key"
            ), ("{\"algorithm\":\"hmac_sha256\",\"scopes\":[\"read\",\"read\"]}", "/scopes twice"),
        ]
    )
    func `terms that don't go together are refused`(text: String, fault: String) async throws {
        try await Fixture.with { fixture in
            let token = try await customer(fixture)
            let given = try JSON.parse(Array(text.utf8))
            guard case .object(let members) = given else { return }
            var terms = [JSON.Member("label", "a")] + members
            if given["scopes"] == nil { terms.append(JSON.Member("scopes", ["read"])) }
            let answer = try await fixture.send("POST", "/v1/me/api-keys", .object(terms), token: token)
            #expect(answer.status == 422 && answer.code == "key_terms" && answer.faults == [fault])
        }
    }

    @Test func `ranges of addresses are read strictly`() throws {
        for text in [
            "", "192.0.2.1/", "192.0.2.1/33", "192.0.2.1/24", "192.0.2.0/024", "192.0.2.0/+24", "192.0.2", "1.2.3.4.5",
            "2001:db8::1/32", "2001:db8::/129", "::/0/0", "example.com", "192.0.2.0 /24",
        ] { #expect(AddressRange(text) == nil, "\(text)") }
        let all = try #require(AddressRange("0.0.0.0/0"))
        #expect(all.contains("203.0.113.9") && !all.contains("2001:db8::1"))
        #expect(try #require(AddressRange("::/0")).contains("203.0.113.9"))
        let one = try #require(AddressRange("192.0.2.1"))
        #expect(one.contains("192.0.2.1") && !one.contains("192.0.2.2") && !one.contains("x"))
        var generator = SeededRandom(20_261_121)
        for _ in 0..<2_000 {
            let (address, length) = (
                UInt32.random(in: 0 ... .max, using: &generator), Int.random(in: 1...32, using: &generator)
            )
            let network = (address >> UInt32(32 - length)) << UInt32(32 - length)
            let range = try #require(AddressRange("\(Self.dotted(network))/\(length)"))
            let other = UInt32.random(in: 0 ... .max, using: &generator)
            #expect(range.contains(Self.dotted(address)))
            #expect(
                range.contains(Self.dotted(other)) == (other >> UInt32(32 - length) == network >> UInt32(32 - length))
            )
        }
    }

    private static func dotted(_ address: UInt32) -> String {
        [24, 16, 8, 0].map { String(address >> $0 & 0xFF) }.joined(separator: ".")
    }
}

import DataProtection
import HTTP
import Identity
import Kernel
import PostgreSQL
import TestSupport
import Testing

/// What users prove who they are with is kept as their private data is.
@Suite struct SecretTests {
    @Test func `codes and signatures count on while every key is replaced`() async throws {
        try await Fixture.with { world in
            let (token, id) = try await world.customer()
            let (app, _) = try await world.enrol(token)
            let signer = try await Signer.make(world, token)
            let sealed: SQL =
                "select string_agg(encode(envelope, 'hex'), ' ' order by data_type) from platform.encrypted_user_data"
            let before: String = try await world.value(sealed)
            world.clock.advance(seconds: 60)
            let report = try await KeyRotation(world.personalData).renew(madeBefore: world.clock.now())
            #expect(report == KeyRotation.Report(done: 1, left: 0))
            let after: String = try await world.value(sealed)
            #expect(after != before)
            let code = app.code(at: world.clock.now())
            #expect(
                try await world.send("POST", "/v1/auth/step-up", ["code": .string(code)], token: token).status == 200
            )
            #expect(try await signer.send(world, "GET", "/v1/probe").text("user") == id.wire)
        }
    }

    @Test func `an erasure takes them`() async throws {
        try await Fixture.with { world in
            let (token, id) = try await world.customer()
            try await world.enrol(token)
            let signer = try await Signer.make(world, token)
            let erasure = Erasure(world.personalData, records: [world.identity.userRecords])
            _ = try await erasure.requests.make(for: id, by: Requester(actor: id.wire, user: id))
            let receipt = try await erasure.erase(id, approvedBy: Requester(actor: "operator:olga"))
            #expect(receipt.removed.first { $0.what == "platform.personal_data" }?.rows == 2)
            #expect(receipt.removed.first { $0.what == "identity.api_keys" }?.rows == 1)
            world.clock.advance(seconds: 60)
            #expect(try await signer.send(world, "GET", "/v1/probe").status == 401)
        }
    }

    @Test func `nobody is shown them, neither their owner nor staff`() async throws {
        try await Fixture.with { world in
            let (token, id) = try await world.customer()
            try await world.enrol(token)
            _ = try await Signer.make(world, token)
            #expect(try await world.personalData.read(id, nil).isEmpty)
            let staff = try await world.operator()
            let reader = StaffReader(user: staff.id, roles: ["operator", "admin"], reason: "curious")
            await #expect(throws: DataProtectionProblem.self) {
                try await world.personalData.disclose([.secondFactor], of: id, to: reader)
            }
            let error = await #expect(throws: PostgresError.self) {
                try await world.database.pool().query(
                    "insert into platform.data_access_policies values ('identity.second_factor', 'admin')"
                )
            }
            #expect(error?.violates("secrets_have_no_readers") == true)
        }
    }

    @Test func `a set-up that is begun anew makes the one before worthless`() async throws {
        try await Fixture.with { world in
            let (token, _) = try await world.customer()
            let password: JSON = ["password": .string(Fixture.password)]
            let first = try await world.send("POST", "/v1/me/two-factor", password, token: token)
            let second = try await world.send("POST", "/v1/me/two-factor", password, token: token)
            let apps = try [first, second].map { try AuthenticatorApp(uri: try #require($0.text("uri"))) }
            #expect(try await world.value("select count(*) from platform.encrypted_user_data") == 1)
            let codes = apps.map { JSON.object([JSON.Member("code", .string($0.code(at: world.clock.now())))]) }
            let confirm = "/v1/me/two-factor/confirm"
            #expect(try await world.send("POST", confirm, codes[0], token: token).code == "wrong_code")
            #expect(try await world.send("POST", confirm, codes[1], token: token).status == 200)
        }
    }

    @Test func `the secret of a key goes with the key, and all with the factor`() async throws {
        try await Fixture.with { world in
            let (token, _) = try await world.customer()
            let (_, codes) = try await world.enrol(token)
            let signers = [try await Signer.make(world, token), try await Signer.make(world, token)]
            let left: SQL = "select count(*) from platform.encrypted_user_data"
            #expect(try await world.value(left) == 3)
            #expect(try await world.send("DELETE", "/v1/me/api-keys/\(signers[0].id)", token: token).status == 204)
            #expect(try await world.value(left) == 2)
            let code: JSON = ["code": .string(codes[0])]
            #expect(try await world.send("POST", "/v1/me/two-factor/disable", code, token: token).status == 204)
            #expect(try await world.value(left) == 0)
        }
    }
}

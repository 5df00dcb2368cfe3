import DataProtection
import Foundation
import Identity
import Kernel
import PostgreSQL
import Testing

@Suite struct ErasureTests {
    private static func erasure(_ world: Fixture) -> Erasure {
        Erasure(world.personalData, records: [world.identity.userRecords])
    }

    @Test func `an erased user has no name, no address, no session, and can't sign in any more`() async throws {
        try await Fixture.with { world in
            let (token, id) = try await world.customer()
            let erasure = ErasureTests.erasure(world)
            try await world.personalData.write(id, [.init(.phone, "+351 91")])
            _ = try await erasure.requests.make(for: id, by: Requester(actor: id.wire, user: id))
            let receipt = try await erasure.erase(id, approvedBy: Requester(actor: "operator:olga"))
            #expect(receipt.removed.first { $0.what == "identity.sessions" }?.rows == 1)
            #expect(receipt.kept.contains { $0.what == "identity.audit" })
            world.clock.advance(seconds: 60)
            #expect(try await world.send("GET", "/v1/me", token: token).status == 401)
            #expect(try await world.signIn().code == "invalid_credentials")
            let left: String = try await world.value(
                "select row_to_json(u)::text from platform.users u where id = \(id)"
            )
            #expect(!left.contains("ada") && left.contains("\"closed\""))
            // The address and the username are free again.
            #expect(try await world.register("ada").status == 201)
        }
    }

    @Test func `each column of a user is shown in the export, and emptied or kept as it is`() async throws {
        // A new column of personal data has to be emptied in `IdentityRecords`; then it is named here.
        let emptied: Set<String> = [
            "email", "username", "name", "password_hash", "preferences", "last_login_at",
            "email_verified_at", "mascot", "experience_level", "points", "streak_days", "streak_on", "enabled_domains",
            "applied_name",
        ]
        let kept: Set<String> = [
            "id", "status", "kyc_status", "fee_tier", "version", "event_version", "created_at", "updated_at",
        ]
        try await Fixture.with { world in
            let columns: [String] = try await world.pool.query(
                """
                select attname::text from pg_attribute
                where attrelid = 'platform.users'::regclass and attnum > 0 and not attisdropped
                """
            ).map { try $0[0] }
            #expect(Set(columns).subtracting(emptied).subtracting(kept) == [])
            let (_, id) = try await world.customer()
            let erasure = ErasureTests.erasure(world)
            let export = DataExport(erasure)
            let user = try #require(export.section("identity.user"))
            let shown = try await user.read(id, 0, 10)
            #expect(shown.count == 1 && shown[0].json["email"] == "ada@example.com")
            #expect(shown[0].json["password_hash"] == nil)
            for name in ["identity.sessions", "identity.audit", "identity.roles"] {
                let section = try #require(export.section(name))
                let records = try await section.read(id, 0, 10)
                #expect(!records.isEmpty, "\(name)")
            }
        }
    }
}

import Compliance
import DataProtection
import HTTP
import Kernel
import PostgreSQL
import Screening
import Testing

@testable import KYC

/// Who customers say to be: with their application, and in their profile once somebody has approved it.
@Suite struct PersonTests {
    private static let path = "/v1/me/identity/applications"

    /// Of the profile: birth, nationality, name, address.
    private static func profile(_ world: KYCWorld, _ user: ID<User>) async throws -> [String?] {
        var texts: [String?] = []
        for type in [DataType.birthDate, .nationality, .legalName, .address] {
            texts.append(try await world.data.read(user, type)?.text)
        }
        return texts
    }

    private static let ana = ["1990-02-28", "PT", "Ana Ruiz", "Rua das Flores 1, Porto"]

    /// Hands an application in that says something else than the profile; its id on the wire.
    private static func other(_ world: KYCWorld, _ user: ID<User>, isSubmitted: Bool = true) async throws -> String {
        let body: JSON = [
            "level": "full", "legal_name": "Eva Nova", "birth_date": "1971-07-07", "nationality": "IR",
            "address": "Elsewhere 2",
        ]
        let opened = try await world.send("POST", path, body, by: user.wire)
        let id = try #require(opened.body["id"]?.stringValue, "\(opened.body)")
        guard isSubmitted else { return id }
        for kind in ["passport", "proof_of_address"] {
            _ = try await world.send("PUT", "\(path)/\(id)/documents/\(kind)", bytes: KYCWorld.picture, by: user.wire)
        }
        let done = try await world.send("POST", "\(path)/\(id)/submission", by: user.wire)
        #expect(done.body["status"] == "submitted")
        return id
    }

    /// Somebody whose level ends soon, so that they may apply again.
    private static func known(_ world: KYCWorld) async throws -> ID<User> {
        let user = try await world.user()
        try await world.identify(user)
        world.clock.advance(seconds: 2 * 365 * 86_400 - 30 * 86_400)
        return user
    }

    @Test func `a profile has what an approved application says, all of it, and nothing before`() async throws {
        try await KYCWorld.with { world in
            let user = try await world.user()
            let id = try await world.submitted(for: user)
            #expect(try await Self.profile(world, user) == [nil, nil, nil, nil])
            try await world.decide(id, "approved", by: try await world.officer())
            // Of two approvals the first is a proposal.
            #expect(try await Self.profile(world, user) == [nil, nil, nil, nil])
            try await world.decide(id, "approved", by: try await world.officer())
            #expect(try await Self.profile(world, user) == Self.ana)
            let left: SQL = """
                select count(*) from platform.encrypted_user_data
                where user_id = \(user) and item <> \(UInt128(0)) and data_type <> 'identity.document'
                """
            #expect(try await world.count(left) == 0)
        }
    }

    @Test func `a draft changes nothing of a profile, nor does one that is taken back`() async throws {
        try await KYCWorld.with { world in
            let user = try await Self.known(world)
            let id = try await Self.other(world, user, isSubmitted: false)
            #expect(try await Self.profile(world, user) == Self.ana)
            #expect(try await world.applications.screenedBy(user) == (BirthDate("1990-02-28"), ["PT"]))
            #expect(try await world.send("DELETE", "\(Self.path)/\(id)", by: user.wire).status == 200)
            #expect(try await Self.profile(world, user) == Self.ana)
            #expect(try await world.data.read(user, [.birthDate, .nationality]).count == 2)
        }
    }

    @Test func `what is handed in is screened by, and isn't the profile's when it is refused`() async throws {
        try await KYCWorld.with { world in
            let user = try await Self.known(world)
            let id = try await Self.other(world, user)
            #expect(try await Self.profile(world, user) == Self.ana)
            #expect(try await world.applications.screenedBy(user) == (BirthDate("1971-07-07"), ["IR", "PT"]))
            try await world.decide(id, "rejected", by: try await world.officer())
            #expect(try await Self.profile(world, user) == Self.ana)
            #expect(try await world.applications.screenedBy(user) == (BirthDate("1971-07-07"), ["IR", "PT"]))
        }
    }

    @Test func `an approved application takes the place of the one before`() async throws {
        try await KYCWorld.with { world in
            let user = try await Self.known(world)
            let id = try await Self.other(world, user)
            for officer in [try await world.officer(), try await world.officer()] {
                try await world.decide(id, "approved", by: officer)
            }
            #expect(try await Self.profile(world, user) == ["1971-07-07", "IR", "Eva Nova", "Elsewhere 2"])
            #expect(try await world.applications.screenedBy(user) == (BirthDate("1971-07-07"), ["IR"]))
        }
    }

    @Test func `another birth under the same name has its customer screened again`() async throws {
        try await KYCWorld.with { world in
            let user = try await world.user()
            _ = try await world.pool.query(
                """
                insert into platform.screening_subjects (user_id, name, sounds, keys, screened_at)
                values (\(user), 'Ana Ruiz', '', '{}', now() + interval '1 day')
                """
            )
            let kept: SQL = "select count(*) from platform.screening_subjects"
            let id = try await world.opened("full", for: user)
            #expect(try await world.count(kept) == 1)
            for kind in ["passport", "proof_of_address"] {
                let document = "\(Self.path)/\(id)/documents/\(kind)"
                _ = try await world.send("PUT", document, bytes: KYCWorld.picture, by: user.wire)
            }
            _ = try await world.send("POST", "\(Self.path)/\(id)/submission", by: user.wire)
            #expect(try await world.count(kept) == 0)
        }
    }

    @Test func `a key that is replaced while somebody is approved is waited for`() async throws {
        try await KYCWorld.with { world in
            let user = try await world.user()
            let id = try await world.submitted(for: user)
            let application = try #require(ID<KYCApplication>(wire: id))
            let known = try await world.applications.find(application)
            let stale = try await world.applications.promotion(of: known)
            _ = try await KeyRotation(world.data).renew(madeBefore: world.clock.now().adding(seconds: 1))
            await #expect(throws: PostgresError.self) {
                try await world.pool.transact { _ in Closing((), last: stale) }
            }
            for officer in [try await world.officer(), try await world.officer()] {
                try await world.decide(id, "approved", by: officer)
            }
            #expect(try await Self.profile(world, user) == Self.ana)
        }
    }
}

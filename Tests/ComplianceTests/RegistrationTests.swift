import Compliance
import Kernel
import Logging
import PostgreSQL
import Screening
import Testing

@Suite struct RegistrationTests {
    private static let list = (0..<30).map { (key: String($0), name: "Person Number\(String($0, radix: 36)) Xyz") }

    private static func sweep(
        _ world: ComplianceWorld,
        _ details: @escaping ScreeningSweep.Details = { _ in (nil, []) }
    ) -> ScreeningSweep {
        ScreeningSweep(
            pool: world.pool,
            screening: world.customers,
            logger: Logger(label: "test"),
            details: details
        )
    }

    @Test func `customers are screened once under each name, and what came of it is kept`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load([(key: "w", name: "Muhammad Hassan Qadri")] + Self.list, checksum: 1)
            let listed = try await world.user("Mohammed Hasan Qadri")
            _ = try await world.user("Erika Mustermann")
            _ = try await world.user(nil)
            let sweep = Self.sweep(world)
            #expect(try await sweep.sweepOnce() == 2)
            #expect(try await sweep.sweepOnce() == 0)
            #expect(try await world.cases.queue().map { $0["user"] } == [.string(listed.wire)])
            let kept: SQL = """
                select count(*) from platform.compliance_checks
                where provider = 'registration' and rule = 'name_lists.v1'
                """
            #expect(try await world.count(kept) == 2)
            _ = try await world.pool.query("update platform.users set name = 'Max Weber' where id = \(listed)")
            #expect(try await sweep.sweepOnce() == 1)
        }
    }

    @Test func `another birth tells a namesake apart`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load([(key: "w", name: "Muhammad Hassan Qadri")] + Self.list, checksum: 1)
            _ = try await world.user("Muhammad Hassan Qadri")
            _ = try await Self.sweep(world) { _ in (BirthDate("1999-01-01"), []) }.sweepOnce()
            #expect(try await world.cases.queue().isEmpty)
        }
    }

    @Test func `a country of high risk and a name that can't be read are looked at`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load(Self.list, checksum: 1)
            let risky = try await world.user("Erika Mustermann")
            _ = try await Self.sweep(world) { _ in (nil, ["KP", "DE"]) }.sweepOnce()
            let unreadable = try await world.user("☂ 42")
            _ = try await Self.sweep(world).sweepOnce()
            let queue = try await world.cases.queue()
            #expect(queue.map { $0["user"] } == [.string(unreadable.wire), .string(risky.wire)])
            #expect(queue.map { $0["kind"] } == ["sanctions", "aml"])
            #expect(try await world.gate.check(world.movement(.payment, 5, of: risky)).outcome == .approve)
            #expect(try await world.gate.check(world.movement(.payment, 5, of: unreadable)).outcome == .review)
            #expect(
                try await world.gate.check(world.movement(.withdrawal, 5, of: risky)).reasons == ["high_risk_country"]
            )
        }
    }

    @Test func `one customer whose data can't be read doesn't keep the others from being screened`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load(Self.list, checksum: 1)
            let broken = try await world.user("Max Weber")
            _ = try await world.user("Erika Mustermann")
            struct Broken: Error {}
            let sweep = Self.sweep(world) { user in
                if user == broken { throw Broken() }
                return (nil, [])
            }
            #expect(try await sweep.sweepOnce() == 1)
            #expect(try await Self.sweep(world).sweepOnce() == 1)
        }
    }
}

import DataProtection
import Kernel
import PostgreSQL
import Testing

@testable import DeFi

/// What a customer's settings decide, and what is known of them altogether.
@Suite(.serialized)
struct ToleranceTests {
    @Test func `offers say what goes beyond a customer's tolerance, and the careful one isn't let into them`()
        async throws
    {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            func beyond(_ offer: Offered) async throws -> [String?] {
                let offers = try await world.ask("GET", "/v1/defi/yields", by: ada).json["data"]?.elements ?? []
                let found = try #require(offers.first { $0["id"]?.stringValue == offer.rawValue })
                return found["risks_beyond_tolerance"]?.elements?.map(\.stringValue) ?? []
            }
            #expect(try await beyond(.pair) == ["impermanent_loss"])
            #expect(try await beyond(.lido) == [])
            try await world.settings(of: ada, "conservative")
            #expect(try await beyond(.lido) == ["slashing"])
            #expect(try await beyond(.aave) == [])
            let body: JSON = ["wallet": .string(ada.wallet.wire), "offer": "lido", "amount": "1"]
            let refused = try await world.refusal("/v1/defi/strategies", by: ada, body.with(offer: Offered.lido))
            #expect(refused == "beyond_risk_tolerance")
            _ = try await world.built(Offered.aave.rawValue, "10", by: ada)
            try await world.settings(of: ada, "aggressive")
            #expect(try await beyond(.pair) == [])
            _ = try await world.intents(
                try await world.ask("POST", "/v1/defi/strategies", by: ada, body.with(offer: Offered.lido))
            )
        }
    }

    @Test func `a new strategy compounds when the settings say so, unless it is told otherwise`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.settings(of: ada, "balanced", compounds: true)
            let (usual, told) = (
                try await world.started(.aave, by: ada),
                try await world.started(.compound, by: ada, [.init("auto_compound", .bool(false))])
            )
            #expect(usual.autoCompound && !told.autoCompound)
            // Of settings that change later it hears nothing.
            try await world.settings(of: ada, "balanced", compounds: false)
            _ = try await world.built(Offered.aave.rawValue, "10", by: ada)
            #expect(try await world.strategy(usual.id, of: ada).autoCompound)
        }
    }

    @Test func `where no rate is known nothing is expected, which isn't none`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let (pair, aave) = (try await world.started(.pair, by: ada), try await world.started(.aave, by: ada))
            try await world.earn(.aave, aave)
            func expected(_ id: ID<Strategy>) async throws -> JSON? {
                try await world.strategy(id, of: ada).json["yield"]?["expected"]
            }
            #expect(try await expected(pair.id) == .null)
            #expect(try await expected(aave.id)?.stringValue != nil)
        }
    }

    @Test func `an export has each table of a user, and nobody goes with a transaction on its way`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            let records = WalletRecords(runtime: world.runtime)
            let tables: [String] = try await world.pool.query(
                """
                select 'defi.' || c.relname::text from pg_attribute a
                join pg_class c on c.oid = a.attrelid
                where c.relnamespace = 'defi'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                    and a.attname = 'user_id' and c.relname <> 'transfers'
                """
            ).map { try $0[0] }
            #expect(Set(tables).subtracting(records.sections.map(\.name)) == [])
            try await world.know(bob, by: ada)
            try await world.dev.setAutomine(false)
            let intent = try await world.pay("1", "USDC", to: bob, by: ada)
            #expect(try await records.obstacles(to: ada.user).isEmpty)
            try await world.submit(intent, by: ada)
            #expect(try await records.obstacles(to: ada.user).map(\.code) == ["position_open"])
            try await world.settle()
            try await world.finalise()
            #expect(try await records.obstacles(to: ada.user).isEmpty)
        }
    }
}

extension ChainWorld {
    fileprivate func settings(of person: Person, _ tolerance: String, compounds: Bool = false) async throws {
        _ = try await pool.query(
            """
            insert into defi.settings (user_id, risk_tolerance, auto_compound, version, updated_at)
            values (\(person.user), \(tolerance), \(compounds), 1, now())
            on conflict (user_id) do update
            set (risk_tolerance, auto_compound) = (excluded.risk_tolerance, excluded.auto_compound)
            """
        )
    }
}

extension JSON {
    /// The same for another offer.
    fileprivate func with(offer: Offered) -> JSON {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { $0.name != "offer" } + [.init("offer", .string(offer.rawValue))])
    }
}

import Compliance
import Kernel
import PostgreSQL
import Screening
import Testing

@Suite struct PayoutTests {
    private static let clean = "eip155:1:0x1111111111111111111111111111111111111111"
    private static let listed = "0x7F367cC41522cE07553e823bf3be79A889DEbe1B"

    private static func payout(
        _ world: ComplianceWorld,
        _ units: Int128,
        of user: ID<User>,
        to account: String = clean,
        beneficiary: MoneyMovement.Beneficiary = .customer
    ) async throws -> ComplianceAnswer {
        try await world.gate.check(
            MoneyMovement(
                subject: world.ids.next(User.self).value,
                user: user,
                kind: .payout,
                amount: Money(minorUnits: units * 1_000_000, .usdc),
                identification: .approved,
                destination: MoneyMovement.Destination(account: account, beneficiary)
            )
        )
    }

    private static func records(_ world: ComplianceWorld) async throws -> [JSON] {
        try await TravelRuleRecords(pool: world.pool).list(of: nil, after: 0, limit: 10).map(\.json)
    }

    @Test func `from an amount on it is recorded who sends and who gets`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            #expect(try await Self.payout(world, 999, of: user).outcome == .approve)
            #expect(try await Self.records(world).isEmpty)
            #expect(try await Self.payout(world, 1_000, of: user).outcome == .approve)
            let max = MoneyMovement.Beneficiary.other(name: "Max Weber")
            #expect(try await Self.payout(world, 1_500, of: user, beneficiary: max).outcome == .approve)
            let hosted = MoneyMovement.Beneficiary.other(name: "Max Weber", host: "Some Exchange Ltd")
            #expect(try await Self.payout(world, 1_600, of: user, beneficiary: hosted).outcome == .approve)
            let records = try await Self.records(world)
            #expect(records.map { $0["amount"] } == ["1000.00", "1500.00", "1600.00"])
            #expect(records[0]["originator"]?["name"] == "Ana Ruiz")
            #expect(records[0]["beneficiary"]?["is_originator"] == true)
            #expect(records[1]["beneficiary"]?["name"] == "Max Weber")
            #expect(records[1]["account"] == .string(Self.clean))
            #expect(records.map { $0["beneficiary"]?["is_self_hosted"] } == [true, true, false])
            #expect(records[2]["beneficiary"]?["host"] == "Some Exchange Ltd")
            #expect(try await TravelRuleRecords(pool: world.pool).list(of: ID(1), after: 0, limit: 10).isEmpty)
        }
    }

    @Test func `nothing goes out without the names, nor is it recorded when it is stopped`() async throws {
        try await ComplianceWorld.with { world in
            let nameless = try await world.user(nil)
            let reasons = ["travel_rule_names_required", "name_required"]
            #expect(try await Self.payout(world, 1_000, of: nameless).reasons == reasons)
            #expect(try await Self.payout(world, 10, of: nameless).reasons == ["name_required"])
            let user = try await world.user("Ana Ruiz")
            for unnamed in [MoneyMovement.Beneficiary.other(name: nil), .other(name: "")] {
                let stopped = try await Self.payout(world, 1_000, of: user, beneficiary: unnamed)
                #expect(stopped.reasons == ["travel_rule_names_required"] && stopped.refusal?.code == "names_required")
            }
            let nowhere = try await world.gate.check(world.movement(.payout, 5, of: user))
            #expect(nowhere.reasons == ["destination_required"])
            #expect(try await Self.payout(world, 2_000_000, of: user).outcome == .block)
            #expect(try await Self.records(world).isEmpty)
        }
    }

    @Test func `nothing goes to an address on a list, and the record says which entry`() async throws {
        try await ComplianceWorld.with { world in
            var list = ReadList()
            let address = try #require(WalletAddress(asset: "ETH", address: Self.listed))
            list.parties = [
                ListedParty(key: "1", kind: .organisation, names: [.init("Somebody")], addresses: [address])
            ]
            _ = try await world.lists.load(list, of: .ofac, checksum: [UInt8](repeating: 9, count: 32), by: "test")
            let user = try await world.user("Ana Ruiz")
            let answer = try await Self.payout(world, 5, of: user, to: "eip155:137:" + Self.listed.lowercased())
            #expect(answer.reasons == ["address_listed", "ofac_sdn:1"])
            let kept: SQL = """
                select count(*) from platform.compliance_checks where flags @> array['address_listed', 'ofac_sdn:1']
                """
            #expect(try await world.count(kept) == 1)
        }
    }

    @Test func `where nothing can be read nothing goes out, and wallets are linked under review`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            world.pool.close()
            #expect(try await Self.payout(world, 5, of: user).reasons == ["compliance_unavailable"])
            for use in [ScreenedAddress.Use.wallet, .deposit] {
                let asked = ScreenedAddress(subject: 1, user: user, account: Self.clean, use: use)
                #expect(try await world.gate.screen(asked).outcome == .review)
            }
            let payout = ScreenedAddress(subject: 1, user: user, account: Self.clean, use: .payout)
            #expect(try await world.gate.screen(payout).outcome == .block)
        }
    }

    @Test func `money that leaves is blocked when nothing is known, everything else waits for a person`() {
        let blocked = ComplianceMoment.allCases.filter { $0.outcomeUnread == .block }
        #expect(blocked == [.payment, .withdrawal, .transfer, .payout])
        #expect(
            ComplianceMoment.allCases.filter { $0.outcomeUnread == .review } == [.registration, .deposit, .walletLink]
        )
    }

    @Test func `customers whose case is open are paid out to no address`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            let alert = ComplianceCases.Alert(
                user: user,
                kind: .sanctions,
                subject: "x",
                score: 900,
                explanation: ["x"]
            )
            try await world.cases.raise([alert], evidence: [:])
            let asked = ScreenedAddress(subject: 1, user: user, account: Self.clean, use: .payout)
            #expect(try await world.gate.screen(asked).reasons == ["under_review"])
            let linked = ScreenedAddress(subject: 1, user: user, account: Self.clean, use: .wallet)
            #expect(try await world.gate.screen(linked).outcome == .approve)
        }
    }
}

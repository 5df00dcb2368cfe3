import Compliance
import HTTP
import Kernel
import PostgreSQL
import TestSupport
import Testing
import WalletCrypto

@testable import DeFi

@Suite struct CustodyReviewTests {
    /// Has other rules decide than the usual ones.
    private static func rule(_ parameters: JSON, in world: CustodyWorld) async throws {
        let sets = RuleSets(pool: world.platform, clock: SystemClock())
        let version = try await sets.draft(try PolicyParameters(json: parameters), reason: "a test", by: "test")
        try await sets.use(version, as: .active)
    }

    private static func decide(_ decision: ComplianceCases.Decision, in world: CustodyWorld) async throws {
        let cases = ComplianceCases(pool: world.platform, ids: world.ids, clock: SystemClock())
        let queue = try await cases.queue()
        let id = try #require(queue.first?["id"]?.stringValue.flatMap { ID<ComplianceCase>(wire: $0) }, "\(queue)")
        try await cases.propose(id, decision, by: "ada")
        try await cases.decide(id, agrees: true, by: "bob")
        world.custody.sender.checks.compliance.forget()
    }

    @Test func `a withdrawal that a person must look at isn't signed before it is released`() async throws {
        try await CustodyWorld.with { world in
            try await Self.rule(["velocity_units": .integer(10)], in: world)
            let ada = try await world.depositor(1)
            let asked = try await world.withdraw("20", "USDC", by: ada)
            #expect(asked.status == 202 && asked.json["status"] == "pending", "\(asked.json)")
            for _ in 0..<2 {
                _ = try await world.custody.sender.round()
                let waiting = try await world.newest("withdrawals", of: ada)
                #expect(waiting["status"] == "pending" && waiting["reason"] == "in_review", "\(waiting)")
                #expect(waiting["may_be_cancelled"] == true)
                try await world.makeDue()
            }
            #expect(try await world.available(.usdc, by: ada) == 79_000_000)
            try await Self.decide(.released, in: world)
            _ = try await world.custody.sender.round()
            try await world.follow()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "confirmed")
        }
    }

    @Test func `a withdrawal whose case is confirmed ends, and its money is free`() async throws {
        try await CustodyWorld.with { world in
            try await Self.rule(["velocity_units": .integer(10)], in: world)
            let ada = try await world.depositor(1)
            #expect(try await world.withdraw("20", "USDC", by: ada).status == 202)
            _ = try await world.custody.sender.round()
            try await Self.decide(.confirmed, in: world)
            try await world.makeDue()
            _ = try await world.custody.sender.round()
            let ended = try await world.newest("withdrawals", of: ada)
            #expect(ended["status"] == "failed" && ended["reason"] == "refused", "\(ended)")
            #expect(try await world.available(.usdc, by: ada) == 100_000_000)
            let next = try await world.withdraw("20", "USDC", by: ada)
            #expect(next.status == 422 && next.json["code"] == "movement_refused", "\(next.json)")
        }
    }

    @Test func `what a customer asked for who is locked now isn't signed before they are free again`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            #expect(try await world.withdraw("20", "USDC", by: ada).status == 202)
            _ = try await world.platform.query("update platform.users set status = 'locked' where id = \(ada.user)")
            for _ in 0..<2 {
                _ = try await world.custody.sender.round()
                #expect(try await world.newest("withdrawals", of: ada)["status"] == "pending")
                #expect(try await world.newest("withdrawals", of: ada)["may_be_cancelled"] == true)
                try await world.makeDue()
            }
            _ = try await world.platform.query("update platform.users set status = 'active' where id = \(ada.user)")
            _ = try await world.custody.sender.round()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "confirmed")
        }
    }

    @Test func `nothing is signed while compliance can't be asked, nor asked for`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            #expect(try await world.withdraw("20", "USDC", by: ada).status == 202)
            let owner = world.database.pool()
            _ = try await owner.query("alter table platform.compliance_rule_sets rename to away")
            world.custody.sender.checks.compliance.forget()
            let closed = try await world.withdraw("20", "USDC", by: ada)
            #expect(closed.status == 503 && closed.json["code"] == "checks_unavailable", "\(closed.json)")
            _ = try await world.custody.sender.round()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "pending")
            _ = try await owner.query("alter table platform.away rename to compliance_rule_sets")
            try await world.makeDue()
            _ = try await world.custody.sender.round()
            let signed = try await world.newest("withdrawals", of: ada)
            #expect(signed["may_be_cancelled"] == false, "\(signed)")
        }
    }

    @Test func `from an amount on payouts name who gets them, and are recorded`() async throws {
        try await CustodyWorld.with { world in
            try await Self.rule(["travel_rule_units": .integer(20)], in: world)
            let ada = try await world.depositor(1)
            let other = world.dev.address(6)
            try await world.know(other, by: ada)
            let nameless = try await world.withdraw("20", "USDC", to: other, by: ada)
            #expect(nameless.status == 422 && nameless.json["code"] == "names_required", "\(nameless.json)")
            #expect(try await world.withdraw("10", "USDC", to: other, by: ada).status == 202)
            let named = try await world.ask(
                "POST",
                "/v1/defi/custody/withdrawals",
                by: ada,
                [
                    "asset": "USDC", "amount": "20", "to": .string(other.description), "beneficiary": "Max Weber",
                    "beneficiary_host": "Some Exchange Ltd",
                ]
            )
            #expect(named.status == 202, "\(named.json)")
            #expect(try await world.withdraw("20", "USDC", by: ada).status == 202)
            let records = try await TravelRuleRecords(pool: world.platform).list(of: ada.user, after: 0, limit: 10)
                .map(\.json)
            #expect(records.count == 2)
            #expect(records.first?["originator"]?["name"] == "Ada Byron")
            #expect(records.first?["beneficiary"]?["name"] == "Max Weber")
            #expect(records.first?["beneficiary"]?["is_self_hosted"] == false)
            #expect(records.last?["beneficiary"]?["is_originator"] == true)
            // Once more before it is signed, which records nothing twice.
            _ = try await world.custody.sender.round()
            let kept: Int = try await world.platform.query("select count(*) from platform.travel_rule_records")[0][0]
            #expect(kept == 2)
        }
    }
}

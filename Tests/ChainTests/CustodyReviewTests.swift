import Compliance
import DataProtection
import HTTP
import Kernel
import Ledger
import PostgreSQL
import TestSupport
import Testing
import WalletCrypto

@testable import DeFi

@Suite(.serialized)
struct CustodyReviewTests {
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

    @Test func `payouts from an amount on are recorded, and go to own proven wallets alone`() async throws {
        try await CustodyWorld.with { world in
            try await Self.rule(["travel_rule_units": .integer(20)], in: world)
            let ada = try await world.depositor(1)
            let other = world.dev.address(6)
            try await world.know(other, by: ada)
            let refused = try await world.withdraw("20", "USDC", to: other, by: ada)
            #expect(refused.status == 422 && refused.json["code"] == "wallet_not_verified", "\(refused.json)")
            #expect(try await world.withdraw("20", "USDC", by: ada).status == 202)
            let records = try await TravelRuleRecords(pool: world.platform).list(of: ada.user, after: 0, limit: 10)
                .map(\.json)
            #expect(records.count == 1)
            #expect(records.first?["originator"]?["name"] == "Ada Byron")
            #expect(records.first?["beneficiary"]?["is_originator"] == true)
            // Once more before it is signed, which records nothing twice.
            _ = try await world.custody.sender.round()
            let kept: Int = try await world.platform.query("select count(*) from platform.travel_rule_records")[0][0]
            #expect(kept == 1)
        }
    }

    @Test func `a withdrawal to a wallet that is revoked before it is signed ends, and its money is free`() async throws
    {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            #expect(try await world.withdraw("20", "USDC", by: ada).status == 202)
            _ = try await world.pool.query(
                """
                update defi.wallets set status = 'revoked', revoked_at = now(), revoked_because = 'test'
                where user_id = \(ada.user)
                """
            )
            _ = try await world.custody.sender.round()
            let ended = try await world.newest("withdrawals", of: ada)
            #expect(ended["status"] == "failed" && ended["reason"] == "wallet_not_verified", "\(ended)")
            #expect(try await world.available(.usdc, by: ada) == 100_000_000)
        }
    }

    @Test func `a deposit that compliance refuses for good is looked at no more, and operators see it`() async throws {
        try await CustodyWorld.with { world in
            try await Self.rule(["flag_units": .integer(10), "block_units": .integer(20)], in: world)
            let ada = try await world.person(1)
            try await world.send("30", .usdc, from: ada)
            try await world.follow()
            try await world.finalise()
            let refused = try await world.newest("deposits", of: ada)
            #expect(refused["status"] == "failed" && refused["reason"] == "refused", "\(refused)")
            try await Self.rule(["block_units": .integer(1_000_000)], in: world)
            world.custody.sender.checks.compliance.forget()
            try await world.makeDue()
            try await world.follow()
            #expect(try await world.newest("deposits", of: ada) == refused)
            #expect(try await world.held(.usdc, by: ada) == 0)
            #expect(try await world.house(CustodyBooks.held, .usdc) == 30_000_000)
            let held = try await world.operations.held(limit: 10)
            #expect(held.count == 1 && held[0]["reason"] == "refused" && held[0]["amount"] == "30.00", "\(held)")
            #expect(held.first?["user"]?.stringValue == ada.user.wire)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `what the customer can do something about is in review until they have`() async throws {
        try await CustodyWorld.with { world in
            try await Self.rule(["unidentified_units": .integer(20)], in: world)
            let ada = try await world.person(1)
            func identified(_ status: String) async throws {
                _ = try await world.platform.query(
                    "update platform.users set kyc_status = \(status) where id = \(ada.user)"
                )
            }
            try await identified("none")
            try await world.send("30", .usdc, from: ada)
            try await world.follow()
            try await world.finalise()
            let waiting = try await world.newest("deposits", of: ada)
            #expect(waiting["status"] == "pending" && waiting["reason"] == "in_review", "\(waiting)")
            try await identified("approved")
            try await world.makeDue()
            try await world.follow()
            #expect(try await world.held(.usdc, by: ada) == 30_000_000)
        }
    }

    @Test func `what comes for somebody who is locked waits for them, and for nobody who has left`() async throws {
        try await CustodyWorld.with { world in
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            func set(_ status: String, _ person: CustodyWorld.Person) async throws {
                _ = try await world.platform.query(
                    "update platform.users set status = \(status) where id = \(person.user)"
                )
            }
            try await world.send("30", .usdc, from: ada)
            try await world.send("20", .usdc, from: bob)
            try await world.follow()
            try await set("locked", ada)
            try await set("closed", bob)
            try await world.finalise()
            for person in [ada, bob] {
                let held = try await world.newest("deposits", of: person)
                #expect(held["status"] == "pending" && held["reason"] == "owner_not_active", "\(held)")
            }
            try await set("active", ada)
            try await world.makeDue()
            try await world.follow()
            #expect(try await world.held(.usdc, by: ada) == 30_000_000)
            #expect(try await world.held(.usdc, by: bob) == 0)
            #expect(try await world.house(CustodyBooks.held, .usdc) == 20_000_000)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `nobody is erased while a deposit of theirs is on its way or held`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.person(1)
            let records = WalletRecords(runtime: world.runtime)
            func obstacles() async throws -> [String] { try await records.obstacles(to: ada.user).map(\.code) }
            let account = "\(world.chain.name):\(ada.address)"
            world.screening.say(.review, of: account)
            #expect(try await obstacles().isEmpty)
            try await world.send("30", .usdc, from: ada)
            try await world.follow()
            #expect(try await obstacles() == ["position_open"])
            try await world.finalise()
            #expect(try await world.newest("deposits", of: ada)["reason"] == "in_review")
            #expect(try await obstacles() == ["position_open"])
            world.screening.say(.approve, of: account)
            try await world.makeDue()
            try await world.follow()
            // What is credited is money in the ledger, which stands against it by itself.
            #expect(try await world.held(.usdc, by: ada) == 30_000_000)
            #expect(try await obstacles().isEmpty)
            try await world.send("0.5", .usdc, from: ada)
            try await world.finalise()
            #expect(try await world.newest("deposits", of: ada)["reason"] == "below_minimum")
            #expect(try await obstacles().isEmpty)
        }
    }
}

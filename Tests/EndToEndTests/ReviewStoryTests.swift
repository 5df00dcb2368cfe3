import Foundation
import Kernel
import Testing

/// Money that a person must look at: it is held, and goes on or comes back by what two officers decide.
@Suite(.serialized)
struct ReviewStoryTests {
    /// A customer whose third payment of a day, each just below the amount that is flagged, waits for a person.
    private struct Held {
        let payer: Customer
        let payee: Customer
        let payment: String

        init(_ name: String, on server: RunningServer) async throws {
            payer = try await Customer.make(name, on: server)
            payee = try await Customer.make("\(name)payee", on: server, isVerified: false)
            for _ in 0..<2 { try await payer.deposit("20000.00") }
            for _ in 0..<2 {
                let paid = try await payer.pay("@\(payee.username)", "8500.00")
                try #require(paid.status == 201, "\(paid.readable)")
            }
            let facts = "select count(*) from platform.transaction_facts"
            let seen = "\(facts) where user_id = '\(try payer.uuid)' and type = 'payment'"
            let deadline = ContinuousClock.now + .seconds(60)
            while try await server.sql(seen) != ["2"], ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(100))
            }
            let third = try await payer.pay("@\(payee.username)", "8500.00")
            try #require(third.status == 202, "\(third.readable)")
            payment = third.text("id")
        }

        var path: String { "/v1/banking/transactions/\(payment)" }
    }

    private static func decide(_ decision: String, about customer: Customer, _ officers: [Staff]) async throws {
        let queue = try await officers[0].get("/v1/operator/compliance/cases?limit=100")
        let found = queue.json["cases"]?.elements?.first { $0["user"]?.stringValue == customer.id }
        let id = try #require(found?["id"]?.stringValue, "\(queue.readable)")
        let path = "/v1/operator/compliance/cases/\(id)"
        let proposed = try await officers[0].post("\(path)/proposal", ["decision": .string(decision)])
        try #require(proposed.status == 200, "\(proposed.readable)")
        let own = try await officers[0].post("\(path)/decision", ["agrees": true])
        Problems.check(own, 403, "own_proposal", "one's own proposal")
        let decided = try await officers[1].post("\(path)/decision", ["agrees": true])
        try #require(decided.status == 200, "\(decided.readable)")
    }

    @Test func `what is looked at waits, and goes on or comes back as two officers decide`() async throws {
        let server = try await SharedServer.get()
        let (good, bad) = (try await Held("good", on: server), try await Held("bad", on: server))
        let officers = [
            try await Staff.make(on: server, beside: good.payee, role: "compliance_officer"),
            try await Staff.make(on: server, beside: bad.payee, role: "compliance_officer"),
        ]
        for held in [good, bad] {
            let waiting = try await held.payer.get(held.path)
            #expect(waiting.text("status") == "in_review", "\(waiting.readable)")
            #expect(try await held.payee.dollars() == "17000.00")
            let told = try await held.payer.get("\(held.path)/explain")
            #expect(!told.readable.contains("structuring") && !told.readable.contains("aml"))
        }
        let before = try await bad.payer.dollars()
        try await Self.decide("released", about: good.payer, officers)
        try await Self.decide("confirmed", about: bad.payer, officers)
        try await good.payer.wait(good.path, until: ["completed"])
        #expect(try await good.payee.dollars() == "25500.00")
        let refused = try await bad.payer.wait(bad.path, until: ["failed"])
        #expect(refused.text("reason") == "refused", "\(refused.readable)")
        #expect(try await bad.payee.dollars() == "17000.00")
        let fee = try Money(wire: refused.text("fee"), .usd).minorUnits
        let back = try Money(wire: try await bad.payer.dollars(), .usd).minorUnits
        #expect(back == (try Money(wire: before, .usd).minorUnits) + 850_000 + fee)
        Problems.check(try await bad.payer.pay("@ada", "1.00"), 422, "movement_refused", "after a confirmed case")
        try await Self.expectSameBacktests(on: server)
    }

    /// What a version would have done to all that happened, twice; other customers may have moved money in between.
    private static func expectSameBacktests(on server: RunningServer) async throws {
        var reports: [String] = []
        let until = SystemClock().now().adding(seconds: -1).description
        for _ in 0..<4 where reports.count < 2 || reports.last != reports.dropLast().last {
            let run = try await Program.run(
                ["compliance", "backtest", "0", "--to", until],
                environment: server.environment
            )
            try #require(run.status == 0, "\(run.errors)")
            reports.append(run.output)
        }
        #expect(reports.last == reports.dropLast().last)
        let report = try JSON.parse(Array((reports.last ?? "").utf8))
        #expect((report["movements"]?.integerValue ?? 0) >= 9)
        #expect((report["flags"]?["structuring"]?.integerValue ?? 0) >= 1, "\(report)")
    }
}

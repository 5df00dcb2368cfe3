import Compliance
import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletSigners

@testable import DeFi

/// Bitcoin and Solana that come in from wallets and go out to them.
@Suite(.serialized)
struct HouseTests {
    @Test(arguments: HouseChain.Kind.allCases)
    func `what comes in is the customer's when it is final, and goes out again`(kind: HouseChain.Kind) async throws {
        try await HouseWorld.with(kind) { world in
            let ada = try await world.person([50_000_000])
            #expect(try await world.send("0.02", from: ada))
            try await world.dev.mine()
            try await world.follow()
            let seen = try await world.newest("deposits", of: ada)
            #expect(seen["status"]?.stringValue == (kind == .bitcoin ? "pending" : "confirmed"), "\(seen)")
            #expect(seen["from"]?.stringValue == ada.address)
            #expect(seen["required_confirmations"]?.integerValue == Int(world.chain.confirmations))
            try await world.finalise()
            let came = try await world.newest("deposits", of: ada)
            #expect(came["status"] == "confirmed" && came["amount"] == "0.02", "\(came)")
            let units = try Money(wire: "0.02", world.asset).minorUnits
            #expect(try await world.held(by: ada) == units)
            try await world.expectBooksAreChain()

            let before = try await world.chain(ada.address)
            let amount = kind == .bitcoin ? "0.001" : "0.06"
            if kind == .solana {
                #expect(try await world.withdraw(amount, by: ada).json["code"] == "insufficient_funds")
                try await world.dev.fund(ada.address, 2_000_000_000)
                try await world.finalise()
                #expect(try await world.send("1", from: ada))
                try await world.finalise()
            }
            let (whole, old) = (try await world.held(by: ada), try await world.chain(ada.address))
            let asked = try await world.withdraw(amount, by: ada)
            #expect(asked.status == 202, "\(asked.json)")
            let paid = try Money(wire: amount, world.asset).minorUnits
            let fee = try Money(wire: try #require(asked.json["fee"]?.stringValue), world.asset).minorUnits
            #expect(fee > 0 && before >= 0)
            #expect(try await world.available(by: ada) == whole - paid - fee)
            try await world.custody.sender.round()
            try await world.finalise()
            let left = try await world.newest("withdrawals", of: ada)
            #expect(left["status"] == "confirmed", "\(left)")
            #expect(try await world.chain(ada.address) - old == paid)
            #expect(try await world.held(by: ada) == whole - paid - fee)
            #expect(try await world.house(CustodyBooks.gas) < 0)
            try await world.expectBooksAreChain()
            let findings = try await world.custody.reconciliation.reconcile()
            #expect(findings.count == 1 && findings.allSatisfy { $0.holding.difference == 0 }, "\(findings)")
        }
    }

    @Test(arguments: HouseChain.Kind.allCases)
    func `what is too little, listed or nobody's isn't credited, and counts in the books`(
        kind: HouseChain.Kind
    ) async throws {
        try await HouseWorld.with(kind) { world in
            let ada = try await world.person([90_000_000, 90_000_000])
            let bob = try await world.person([90_000_000])
            let eve = try await world.person([90_000_000], isLinked: false)
            world.screening.say(.block, of: bob.signer.account)
            #expect(try await world.send("0.00009", from: ada))
            #expect(try await world.send("0.02", from: bob))
            #expect(try await world.send("0.03", from: eve))
            try await world.dev.mine()
            try await world.follow()
            try await world.finalise()
            let small = try await world.newest("deposits", of: ada)
            #expect(small["status"] == "failed" && small["reason"] == "below_minimum", "\(small)")
            let listed = try await world.newest("deposits", of: bob)
            #expect(listed["status"] == "failed" && listed["reason"] == "address_blocked", "\(listed)")
            let kept = try Money(wire: "0.05009", world.asset).minorUnits
            #expect(try await world.house(CustodyBooks.held) == kept)
            try await world.expectBooksAreChain()
            try await world.link(eve)
            try await world.makeDue()
            try await world.follow()
            let came = try await world.newest("deposits", of: eve)
            #expect(came["status"] == "confirmed" && came["amount"] == "0.03", "\(came)")
            try await world.expectBooksAreChain()
        }
    }

    @Test(arguments: HouseChain.Kind.allCases)
    func `each bad request is refused by name, and what isn't signed can be taken back`(
        kind: HouseChain.Kind
    ) async throws {
        try await HouseWorld.with(kind) { world in
            let ada = try await world.depositor("1")
            let stranger = try await world.person([])
            let own = world.custody.chain.account
            let cases: [(String, String, String)] = [
                ("0.0001", ada.address, "amount_below_minimum"), ("1", ada.address, "insufficient_funds"),
                ("0.1", own, "recipient_is_custodian"), ("0.1", stranger.address, "address_not_in_book"),
                ("0.1", "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", "bad_checksum"),
            ]
            for (amount, to, code) in cases {
                let answer = try await world.withdraw(amount, to: to, by: ada)
                #expect(answer.status == 422 && answer.json["code"]?.stringValue == code, "\(code): \(answer.json)")
            }
            let whole = try await world.held(by: ada)
            #expect(try await world.withdraw("0.1", by: ada).status == 202)
            #expect(try await world.available(by: ada) < whole)
            try await world.cancelAll(of: ada)
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "cancelled")
            #expect(try await world.available(by: ada) == whole)
            #expect(try await world.custody.sender.round() == 0)
            let terms = try await world.ask("GET", "/v1/defi/custody", by: ada)
            let named = terms.json["chains"]?.elements?.first
            #expect(named?["account"]?.stringValue == own)
            #expect(named?["assets"]?.elements?.count == 1)
        }
    }

    @Test func `two payouts never spend the same coins, and wait for more`() async throws {
        try await HouseWorld.with(.bitcoin) { world in
            let ada = try await world.depositor("5")
            for _ in 0..<12 { #expect(try await world.withdraw("0.1", by: ada).status == 202) }
            try await world.custody.sender.round()
            let inputs: [Int] = try await world.pool.query(
                "select count(*), count(distinct item) from defi.custody_inputs"
            ).flatMap { [try $0[0], try $0[1]] }
            #expect(inputs[0] == inputs[1] && inputs[0] >= 8, "\(inputs)")
            for _ in 0..<3 {
                try await world.finalise()
                try await world.makeDue()
                try await world.custody.sender.round()
            }
            try await world.finalise()
            let paid: Int = try await world.pool.query(
                "select count(*) from defi.custody_withdrawals where state = 'confirmed'"
            )[0][0]
            #expect(paid == 12)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `a payout whose time is over is signed anew, and paid once`() async throws {
        try await HouseWorld.with(.solana) { world in
            let ada = try await world.depositor("1")
            let before = try await world.chain(ada.address)
            #expect(try await world.withdraw("0.1", by: ada).status == 202)
            // Signed and stored, and nothing of it reached the chain.
            try await world.dev.fault(.drop, on: "sendTransaction")
            try await world.custody.sender.round()
            _ = try await world.dev.rpc.call("dev_warp", .integer(400))
            try await world.follow()
            for _ in 0..<3 {
                try await world.makeDue()
                try await world.custody.sender.round()
            }
            try await world.finalise()
            let paid = try await world.newest("withdrawals", of: ada)
            #expect(paid["status"] == "confirmed", "\(paid)")
            let attempts: Int = try await world.pool.query("select count(*) from defi.custody_attempts")[0][0]
            #expect(attempts == 2)
            #expect(try await world.chain(ada.address) - before == 100_000_000)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `what a reorganisation takes back is owed, and stops what leaves until it is paid`() async throws {
        try await HouseWorld.with(.bitcoin, confirmations: 2) { world in
            let ada = try await world.person([50_000_000, 50_000_000])
            #expect(try await world.send("0.2", from: ada))
            try await world.dev.mine()
            try await world.finalise()
            #expect(try await world.held(by: ada) == 20_000_000)
            #expect(try await world.withdraw("0.1", by: ada).status == 202)
            try await world.custody.sender.round()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "confirmed")
            // The deposit's block and all behind it, and nothing of it comes again.
            try await world.dev.reorganise(depth: 5, keeping: false)
            try await world.follow()
            #expect(try await world.newest("deposits", of: ada)["reason"] == "reorganised")
            #expect(try await world.newest("withdrawals", of: ada)["reason"] == "reorganised")
            #expect(try await world.held(by: ada, kind: CustodyBooks.receivable) < 0)
            let frozen = try await world.custody.freezes.list(limit: 10)
            #expect(frozen.count == 1, "\(frozen)")
            #expect(try await world.withdraw("0.01", by: ada).json["code"] == "account_frozen")
        }
    }
}

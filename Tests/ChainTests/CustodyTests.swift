import Compliance
import HTTP
import Kernel
import Ledger
import PostgreSQL
import TestSupport
import Testing
import WalletCrypto

@testable import DeFi

/// Crypto that comes in from wallets and goes out to them.
@Suite(.serialized)
struct CustodyTests {
    @Test(arguments: [Asset.usdc, .eth])
    func `a deposit is pending in its block and the customer's when that is final`(asset: Asset) async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.person(1)
            let hash = try await world.send("12.5", asset, from: ada)
            try await world.follow()
            let pending = try await world.newest("deposits", of: ada)
            #expect(pending["status"] == "pending")
            #expect(pending["confirmations"]?.integerValue == 1)
            #expect(pending["required_confirmations"]?.integerValue == 3)
            #expect(pending["transaction_hash"]?.stringValue == HexText.encode(hash))
            #expect(pending["from"]?.stringValue == ada.address.description)
            #expect(try await world.held(asset, by: ada) == 0)
            try await world.dev.mine(2)
            try await world.follow()
            let confirmed = try await world.newest("deposits", of: ada)
            #expect(confirmed["status"] == "confirmed")
            #expect(confirmed["amount"] == "12.50")
            #expect(try await world.held(asset, by: ada) == Money(wire: "12.5", asset).minorUnits)
            try await world.expectBooksAreChain()
            let id = try #require(confirmed["id"]?.stringValue)
            let read = try await world.ask("GET", "/v1/defi/custody/deposits/\(id)", by: ada)
            #expect(read.json == confirmed)
            let bob = try await world.person(2)
            #expect(try await world.ask("GET", "/v1/defi/custody/deposits/\(id)", by: bob).status == 404)
        }
    }

    @Test(arguments: [("USDC", "20", "1.00"), ("ETH", "0.5", "0.0005")])
    func `a withdrawal is reserved, paid out, and captured when it is final`(
        code: String,
        amount: String,
        fee: String
    ) async throws {
        try await CustodyWorld.with { world in
            let asset = try #require(Asset(code: code))
            let ada = try await world.depositor(1, "100", asset)
            let before = try await world.tokens(asset, of: ada.address)
            let asked = try await world.withdraw(amount, code, by: ada)
            #expect(asked.status == 202, "\(asked.json)")
            #expect(asked.json["fee"]?.stringValue == fee)
            #expect(asked.json["may_be_cancelled"] == true)
            let whole = try Money(wire: "100", asset) - Money(wire: amount, asset) - Money(wire: fee, asset)
            #expect(try await world.available(asset, by: ada) == whole.minorUnits)
            try await world.custody.sender.round()
            #expect(try await world.newest("withdrawals", of: ada)["may_be_cancelled"] == false)
            try await world.follow()
            let pending = try await world.newest("withdrawals", of: ada)
            #expect(pending["status"] == "pending")
            #expect(pending["confirmations"]?.integerValue == 1)
            #expect(try await world.tokens(asset, of: ada.address) - before == Money(wire: amount, asset).minorUnits)
            try await world.finalise()
            let confirmed = try await world.newest("withdrawals", of: ada)
            #expect(confirmed["status"] == "confirmed", "\(confirmed)")
            #expect(try await world.held(asset, by: ada) == whole.minorUnits)
            #expect(try await world.available(asset, by: ada) == whole.minorUnits)
            #expect(try await world.house("custody_gas", .eth) < 0)
            try await world.expectBooksAreChain()
            let id = try #require(confirmed["id"]?.stringValue)
            let late = try await world.ask("POST", "/v1/defi/custody/withdrawals/\(id)/cancel", by: ada)
            #expect(late.status == 409 && late.json["code"] == "withdrawal_under_way", "\(late.json)")
        }
    }

    @Test func `what isn't signed yet can be taken back, and the limit with it`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let asked = try await world.withdraw("20", "USDC", by: ada)
            let id = try #require(asked.json["id"]?.stringValue)
            let bob = try await world.person(2)
            let path = "/v1/defi/custody/withdrawals/\(id)/cancel"
            #expect(try await world.ask("POST", path, by: bob).status == 404)
            let cancelled = try await world.ask("POST", path, by: ada, key: "cancel-1")
            #expect(cancelled.status == 200 && cancelled.json["status"] == "cancelled", "\(cancelled.json)")
            #expect(try await world.available(.usdc, by: ada) == 100_000_000)
            let again = try await world.ask("POST", path, by: ada, key: "cancel-1")
            #expect(again.status == 200 && again.json == cancelled.json)
            #expect(try await world.custody.sender.round() == 0)
            let used: Int = try await world.pool.query(
                "select count(*) from defi.account_usage where counter = 'custody_withdrawal' and used > 0"
            )[0][0]
            #expect(used == 0)
        }
    }

    @Test func `the same request again is one withdrawal`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let first = try await world.withdraw("20", "USDC", by: ada, key: "one")
            let second = try await world.withdraw("20", "USDC", by: ada, key: "one")
            #expect(first.json["id"] == second.json["id"])
            #expect(try await world.available(.usdc, by: ada) == 79_000_000)
            let other = try await world.withdraw("21", "USDC", by: ada, key: "one")
            #expect(other.json["code"] == "idempotency_key_reused")
        }
    }

    @Test func `each bad request is refused by name, and nothing is reserved`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let (locked, listed, unclear) = (world.dev.address(5), world.dev.address(6), world.dev.address(7))
            try await world.know(locked, by: ada, isOpen: false)
            try await world.know(listed, by: ada)
            try await world.know(unclear, by: ada)
            world.screening.say(.block, of: "\(world.chain.name):\(listed)")
            world.screening.say(.review, of: "\(world.chain.name):\(unclear)")
            let custodian = world.account
            let cases: [(String, String, EthereumAddress, String)] = [
                ("20", "BTC", ada.address, "asset_not_supported"), ("20", "USD", ada.address, "asset_not_supported"),
                ("4.99", "USDC", ada.address, "amount_below_minimum"),
                ("100001", "USDC", ada.address, "amount_above_maximum"),
                ("99.01", "USDC", ada.address, "insufficient_funds"),
                ("20", "USDC", world.dev.address(4), "address_not_in_book"),
                ("20", "USDC", locked, "address_locked"), ("20", "USDC", listed, "address_blocked"),
                ("20", "USDC", unclear, "address_in_review"), ("20", "USDC", custodian, "recipient_is_custodian"),
            ]
            for (amount, asset, to, code) in cases {
                let answer = try await world.withdraw(amount, asset, to: to, by: ada)
                #expect(answer.status == 422 && answer.json["code"]?.stringValue == code, "\(code): \(answer.json)")
            }
            for bad in ["0", "-1", "1.0000001", "1e3", ""] {
                let answer = try await world.withdraw(bad, "USDC", by: ada)
                #expect(answer.status == 400, "\(bad): \(answer.json)")
            }
            let unknown = try await world.ask("GET", "/v1/defi/custody/withdrawals/\(ada.user.wire)", by: ada)
            #expect(unknown.status >= 400)
            #expect(try await world.available(.usdc, by: ada) == 100_000_000)
        }
    }

    @Test func `a checksum that doesn't hold and a factor that isn't fresh are refused`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let turned = String(ada.address.description.map { $0.isUppercase ? Character($0.lowercased()) : $0 })
            let spoiled = turned.dropLast() + (turned.hasSuffix("a") ? "B" : "A")
            let body: JSON = ["asset": "USDC", "amount": "20", "to": .string(String(spoiled))]
            let answer = try await world.ask("POST", "/v1/defi/custody/withdrawals", by: ada, body)
            #expect(answer.status == 422 && answer.json["code"] == "bad_checksum", "\(answer.json)")
            let weak = await world.api.respond(
                "POST",
                "/v1/defi/custody/withdrawals",
                headers: [
                    "Authorization": "Bearer weak_\(ada.user.wire)", "Content-Type": "application/json",
                    "Idempotency-Key": "weak",
                ],
                body: body.serialized()
            )
            #expect(weak.status == 403 && weak.json["code"] == "step_up_required", "\(weak.json)")
        }
    }

    @Test func `the day's limit counts what is pending and confirmed, not what failed`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            _ = try await world.database.pool().query(
                """
                update defi.custody_assets set withdrawal_maximum = 40000000, withdrawal_daily = 50000000
                where asset = 'USDC'
                """
            )
            #expect(try await world.withdraw("30", "USDC", by: ada).status == 202)
            let second = try await world.withdraw("30", "USDC", by: ada)
            #expect(second.json["code"] == "limit_exceeded", "\(second.json)")
            let id = try #require(try await world.newest("withdrawals", of: ada)["id"]?.stringValue)
            let back = try await world.ask("POST", "/v1/defi/custody/withdrawals/\(id)/cancel", by: ada)
            #expect(back.status == 200, "\(back.json)")
            #expect(try await world.withdraw("30", "USDC", by: ada).status == 202)
        }
    }

    @Test func `what comes from nobody's wallet waits for its owner`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.person(1, isLinked: false)
            try await world.send("30", .usdc, from: ada)
            try await world.follow()
            try await world.finalise()
            #expect(try await world.house("custody_held", .usdc) == 30_000_000)
            #expect(try await world.newest("deposits", of: ada) == .null)
            try await world.expectBooksAreChain()
            try await world.link(ada)
            try await world.makeDue()
            try await world.follow()
            #expect(try await world.newest("deposits", of: ada)["status"] == "confirmed")
            #expect(try await world.held(.usdc, by: ada) == 30_000_000)
            #expect(try await world.house("custody_held", .usdc) == 0)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `what is listed, in review or too little isn't credited`() async throws {
        try await CustodyWorld.with { world in
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            let account = "\(world.chain.name):\(ada.address)"
            world.screening.say(.review, of: account)
            world.screening.say(.block, of: "\(world.chain.name):\(bob.address)")
            try await world.send("30", .usdc, from: ada)
            try await world.send("30", .usdc, from: bob)
            try await world.send("0.99", .usdc, from: ada)
            try await world.follow()
            try await world.finalise()
            let small = try await world.newest("deposits", of: ada)
            #expect(small["status"] == "failed" && small["reason"] == "below_minimum", "\(small)")
            let listed = try await world.newest("deposits", of: bob)
            #expect(listed["status"] == "failed" && listed["reason"] == "address_blocked", "\(listed)")
            #expect(try await world.held(.usdc, by: ada) == 0)
            #expect(try await world.house("custody_held", .usdc) == 60_990_000)
            try await world.expectBooksAreChain()
            world.screening.say(.approve, of: account)
            try await world.makeDue()
            try await world.follow()
            #expect(try await world.held(.usdc, by: ada) == 30_000_000)
            #expect(try await world.house("custody_held", .usdc) == 30_990_000)
        }
    }

    @Test func `the terms name the account and the bounds`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.person(1)
            let terms = try await world.ask("GET", "/v1/defi/custody", by: ada)
            #expect(terms.json["chains"]?.elements?.first?["account"]?.stringValue == world.account.description)
            #expect(
                terms.json["chains"]?.elements?.first?["assets"]?.elements?.compactMap { $0["asset"]?.stringValue } == [
                    "ETH", "USDC", "USDT",
                ]
            )
        }
    }
}

import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// Deposits by transactions that do something else in another block.
@Suite(.serialized)
struct CustodyFickleTests {
    /// What a transaction that brought 1,000 USDC does once the chain has changed its mind.
    enum Turn: Sendable {
        case less
        case tooLittle
        case nothing
        case atAnotherPlace

        /// In minor units.
        var late: Int128 {
            switch self {
            case .less: 1_000_000
            case .tooLittle: 500_000
            case .nothing: 0
            case .atAnotherPlace: 1_000_000_000
            }
        }
    }

    @Test(
        arguments: [
            (.less, false), (.less, true), (.tooLittle, false), (.nothing, true), (.atAnotherPlace, false),
        ] as [(Turn, Bool)]
    )
    func `what the final block has is credited, whatever another one had`(turn: Turn, isCredited: Bool) async throws {
        try await CustodyWorld.with(confirmations: isCredited ? 1 : 3) { world in
            let ada = try await world.person(1)
            try await world.sendFickly(turn.late, atAnotherPlace: turn == .atAnotherPlace, from: ada)
            try await world.follow()
            let first = try await world.newest("deposits", of: ada)
            #expect(first["amount"] == "1000.00")
            #expect(first["status"]?.stringValue == (isCredited ? "confirmed" : "pending"))
            #expect(try await world.held(.usdc, by: ada) == (isCredited ? 1_000_000_000 : 0))
            try await world.dev.reorganise(depth: 1, keeping: true)
            try await world.follow()
            try await world.makeDue()
            try await world.finalise()
            let id = try #require(first["id"]?.stringValue)
            let over = try await world.ask("GET", "/v1/defi/custody/deposits/\(id)", by: ada).json
            #expect(over["status"] == "failed" && over["reason"] == "not_on_chain", "\(over)")
            #expect(over["amount"] == "1000.00" && over["block"] == .null)
            let now = try await world.newest("deposits", of: ada)
            switch turn {
            case .less: #expect(now["status"] == "confirmed" && now["amount"] == "1.00", "\(now)")
            case .tooLittle: #expect(now["reason"] == "below_minimum" && now["amount"] == "0.50", "\(now)")
            case .nothing: #expect(now["id"] == first["id"])
            case .atAnotherPlace: #expect(now["status"] == "confirmed" && now["id"] != first["id"], "\(now)")
            }
            #expect(try await world.held(.usdc, by: ada) == (turn == .tooLittle ? 0 : turn.late))
            #expect(try await world.held(.usdc, by: ada, kind: CustodyBooks.receivable) == 0)
            #expect(try await world.custody.faults.list(limit: 10).isEmpty)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `what was told of a transfer that another one took the place of ends with it`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.person(1)
            try await world.sendFickly(1_000_000, from: ada)
            try await world.follow()
            try await world.dev.reorganise(depth: 1, keeping: true)
            try await world.follow()
            try await world.finalise()
            let told = try await world.pool.query(
                """
                select type, payload->>'amount' as amount from defi.outbox_events
                where aggregate_type = 'transaction' order by id
                """
            ).map { row in
                let (type, amount): (String, String) = (try row["type"], try row["amount"])
                return "\(type) \(amount)"
            }
            #expect(
                told == [
                    "defi.transaction.pending 1000.00", "defi.transaction.pending 1000.00",
                    "defi.transaction.failed 1000.00", "defi.transaction.pending 1.00",
                    "defi.transaction.confirmed 1.00",
                ]
            )
        }
    }

    @Test func `a deposit that its final receipt doesn't show isn't credited`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.person(1)
            try await world.send("10", .usdc, from: ada)
            try await world.follow()
            _ = try await world.pool.query("update defi.custody_deposits set amount = amount * 100")
            try await world.finalise()
            #expect(try await world.held(.usdc, by: ada) == 0)
            let fault = try #require(try await world.custody.faults.list(limit: 10).first)
            #expect(fault["reason"]?.stringValue?.contains("the transfer of a deposit") == true, "\(fault)")
            _ = try await world.pool.query("update defi.custody_deposits set amount = amount / 100")
            try await world.makeDue()
            try await world.follow()
            #expect(try await world.held(.usdc, by: ada) == 10_000_000)
            #expect(try await world.custody.faults.list(limit: 10).isEmpty)
        }
    }
}

extension CustodyWorld {
    /// Sends 1,000 USDC in the next block; in any later one the same transaction sends something else, or does so at
    /// another place.
    fileprivate func sendFickly(_ late: Int128, atAnotherPlace: Bool = false, from person: Person) async throws {
        let token = try #require(chain.deployment.token(.usdc))
        let described = try await dev.rpc.call("dev_info")
        let fickle = try #require(described["contracts"]?["Fickle"]?.stringValue.flatMap { EthereumAddress($0) })
        let early = BigUInt(1_000_000_000)
        let approve = try #require(ContractFunction("approve(address,uint256)"))
        let allowed = try approve.callData([.address(fickle), .uint(early)])
        _ = try await dev.pay(.zero, to: token, data: allowed, from: person.place)
        let pay = try #require(ContractFunction("pay(address,address,uint256,uint256,uint256,uint256)"))
        let next = BigUInt(Int128(try await dev.node.head() + 1))
        let data = try pay.callData([
            .address(token), .address(account), .uint(next), .uint(early), .uint(BigUInt(late)),
            .uint(BigUInt(atAnotherPlace ? 1 : 0)),
        ])
        _ = try await dev.pay(.zero, to: fickle, data: data, from: person.place)
    }
}

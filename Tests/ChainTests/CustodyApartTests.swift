import DomainKit
import Kernel
import Ledger
import PostgreSQL
import TestSupport
import Testing
import WalletCrypto

@testable import DeFi

/// What is wrong with one deposit or payout holds up neither the chain nor the others, and operators find it.
@Suite(.serialized)
struct CustodyApartTests {
    /// What the database refuses of a deposit of 13 USDC.
    enum Refused: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case sighting
        case credit
        case takingBack = "taking back"

        var testDescription: String { rawValue }

        var constraint: SQL {
            switch self {
            case .sighting: "check (amount <> 13000000)"
            case .credit: "check (amount <> 13000000 or state <> 'confirmed')"
            case .takingBack: "check (amount <> 13000000 or state <> 'pending')"
            }
        }
    }

    @Test(arguments: Refused.allCases)
    func `a deposit that the database refuses waits, and the chain goes on`(refused: Refused) async throws {
        try await CustodyWorld.with { world in
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            let isLate = refused == .takingBack
            if !isLate { try await world.refuse("custody_deposits", refused.constraint) }
            try await world.send("13", .usdc, from: ada)
            try await world.send("12", .usdc, from: bob)
            try await world.follow()
            try await world.finalise()
            if isLate {
                #expect(try await world.held(.usdc, by: ada) == 13_000_000)
                try await world.refuse("custody_deposits", refused.constraint)
                try await world.dev.reorganise(depth: 5, keeping: false)
                try await world.follow()
            }
            #expect(try await world.parts.follower.blocks.tip()?.number == world.dev.node.head())
            #expect(try await world.held(.usdc, by: bob) == (isLate ? 0 : 12_000_000))
            #expect(try await world.held(.usdc, by: ada) == (isLate ? 13_000_000 : 0))
            let faults = try await world.custody.faults.list(limit: 10)
            #expect(faults.count == 1 && faults[0]["reason"]?.stringValue?.contains("refused_by_test") == true)
            let subject = try #require(faults.first?["subject"]?.stringValue)
            #expect(subject.hasPrefix(refused == .sighting ? "0x" : "dep_"), "\(subject)")
            // Refused again, it is one fault still.
            try await world.makeDue()
            try await world.follow()
            let again = try await world.custody.faults.list(limit: 10)
            #expect(again.count == 1 && again[0]["attempts"]?.integerValue ?? 0 >= 2, "\(again)")
            try await world.accept("custody_deposits")
            try await world.makeDue()
            try await world.follow()
            #expect(try await world.custody.faults.list(limit: 10).isEmpty)
            #expect(try await world.held(.usdc, by: ada) == (isLate ? 0 : 13_000_000))
            try await world.expectBooksAreChain()
        }
    }

    @Test func `a payout that the database refuses waits, and others are paid and final`() async throws {
        try await CustodyWorld.with { world in
            let (ada, bob) = (try await world.depositor(1), try await world.depositor(2))
            try await world.refuse("custody_withdrawals", "check (amount <> 13000000 or state <> 'included')")
            _ = try await world.withdraw("13", "USDC", by: ada)
            _ = try await world.withdraw("14", "USDC", by: bob)
            try await world.custody.sender.round()
            try await world.follow()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: bob)["status"] == "confirmed")
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "pending")
            #expect(try await world.custody.faults.list(limit: 10).count == 1)
            try await world.accept("custody_withdrawals")
            try await world.makeDue()
            try await world.follow()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "confirmed")
            try await world.expectBooksAreChain()
        }
    }

    @Test func `a payout that can't be stored as signed keeps no other from being sent`() async throws {
        try await CustodyWorld.with { world in
            let (ada, bob) = (try await world.depositor(1), try await world.depositor(2))
            try await world.refuse("custody_withdrawals", "check (amount <> 13000000 or state <> 'signed')")
            _ = try await world.withdraw("13", "USDC", by: ada)
            _ = try await world.withdraw("14", "USDC", by: bob)
            let before = try await world.tokens(.usdc, of: ada.address)
            try await world.custody.sender.round()
            try await world.follow()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: bob)["status"] == "confirmed")
            #expect(try await world.tokens(.usdc, of: ada.address) == before)
            let fault = try #require(try await world.custody.faults.list(limit: 10).first)
            #expect(fault["subject"]?.stringValue?.hasPrefix("wdr_") == true, "\(fault)")
            try await world.accept("custody_withdrawals")
            try await world.makeDue()
            try await world.custody.sender.round()
            try await world.makeDue()
            try await world.follow()
            try await world.finalise()
            #expect(try await world.tokens(.usdc, of: ada.address) - before == 13_000_000)
            #expect(try await world.custody.faults.list(limit: 10).isEmpty)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `a process that ends between a block and its custody leaves the block to the next one`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.person(1)
            // Custody's own question gets no answer, so that the block is stored and nothing of it in custody.
            try await world.send("13", .usdc, from: ada)
            try await world.dev.fault(.error, on: "eth_getTransactionReceipt", count: 2)
            _ = try await world.parts.follower.step()
            #expect(try await world.newest("deposits", of: ada) == .null)
            let waiting: Int = try await world.pool.query("select count(*) from defi.custody_blocks")[0][0]
            #expect(waiting == 1)
            let other = try await world.restarted()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await other.runtime.ledger.run() }
                defer { group.cancelAll() }
                try await other.follow()
                try await other.finalise()
                #expect(try await other.newest("deposits", of: ada)["status"] == "confirmed")
                try await other.expectBooksAreChain()
            }
        }
    }
}

extension CustodyWorld {
    /// Has the database refuse rows of a table.
    fileprivate func refuse(_ table: SQL, _ constraint: SQL) async throws {
        _ = try await database.pool().query(
            "alter table defi.\(table) add constraint refused_by_test \(constraint) not valid"
        )
    }

    fileprivate func accept(_ table: SQL) async throws {
        _ = try await database.pool().query("alter table defi.\(table) drop constraint refused_by_test")
    }
}

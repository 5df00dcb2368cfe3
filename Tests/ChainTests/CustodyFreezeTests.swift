import DomainKit
import Kernel
import Ledger
import PostgreSQL
import TestSupport
import Testing

@testable import DeFi

/// Freezes of custody that come between what somebody has read and what they do.
@Suite(.serialized)
struct CustodyFreezeTests {
    private static func reasons(_ world: CustodyWorld, of user: ID<User>) async throws -> Set<String?> {
        Set(
            try await world.runtime.accounts.balances(of: user.value).filter { $0.kind == CustodyBooks.customer }
                .map(\.frozenBecause)
        )
    }

    @Test func `who has seen nothing of the newest debt frees nothing`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let user = ada.user
            let account = try await world.runtime.accounts.open(AccountKey(user, CustodyBooks.customer, .usdc))
            let (first, second) = (CustodyFreezes.words + "dep_1 1", CustodyFreezes.words + "dep_2 1")
            let freeze = LedgerItem(operation: world.ids.next(), commands: [.freeze(account, because: first)])
            _ = try await world.runtime.ledger.submit(batch: [freeze])
            let change: SQL = """
                update defi.ledger_accounts set frozen_because = \(second)
                where owner = \(user) and kind = \(CustodyBooks.customer)
                """
            try await world.database.overtaking(by: change) { try await world.custody.freezes.settle() }
            #expect(try await Self.reasons(world, of: user) == [second])
            let released: Int = try await world.pool.query(
                "select count(*) from defi.audit_log where action = 'custody.released'"
            )[0][0]
            #expect(released == 0)
            // With nothing owed it is free at the next look.
            try await world.custody.freezes.settle()
            #expect(try await Self.reasons(world, of: user) == [nil])
        }
    }

    @Test func `each deposit that is taken back freezes anew, each time`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let user = ada.user
            let operators = try await world.runtime.accounts.open(AccountKey(user, CustodyBooks.customer, .eth))
            try await world.apply([.freeze(operators, because: "suspicion")])
            let deposit = try #require(try await world.custody.deposits.export(after: 0, limit: 1).first)
            try await world.apply(try await world.custody.freezes.freezing(user, because: deposit))
            let first = try await Self.reasons(world, of: user)
            #expect(first.count == 2 && first.contains("suspicion"))
            _ = try await world.pool.query("update defi.custody_deposits set version = version + 1")
            let again = try #require(try await world.custody.deposits.export(after: 0, limit: 1).first)
            try await world.apply(try await world.custody.freezes.freezing(user, because: again))
            let second = try await Self.reasons(world, of: user)
            #expect(second.count == 2 && second.contains("suspicion") && second != first)
            #expect(try await world.operations.frozen(limit: 10).first?["deposit"]?.stringValue == deposit.id.wire)
        }
    }

    @Test func `a payout isn't signed out of an account that is frozen while it is signed, nor sent`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let user = ada.user
            #expect(try await world.withdraw("20", "USDC", by: ada).status == 202)
            let before = try await world.tokens(.usdc, of: ada.address)
            let account = try await world.runtime.accounts.open(AccountKey(user, CustodyBooks.customer, .usdc))
            let sender = world.sender { try await world.apply([.freeze(account, because: "suspicion")]) }
            #expect(try await sender.round() == 1)
            let waiting = try await world.newest("withdrawals", of: ada)
            #expect(waiting["reason"] == "account_frozen" && waiting["may_be_cancelled"] == true, "\(waiting)")
            #expect(try await world.pool.query("select 1 from defi.custody_attempts").count == 0)
            try await world.finalise()
            #expect(try await world.tokens(.usdc, of: ada.address) == before)
            try await world.apply([.freeze(account, because: nil)])
            try await world.makeDue()
            try await world.custody.sender.round()
            try await world.follow()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "confirmed")
            #expect(try await world.tokens(.usdc, of: ada.address) - before == 20_000_000)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `a payout whose money an operator has freed isn't signed`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let user = ada.user
            #expect(try await world.withdraw("20", "USDC", by: ada).status == 202)
            let account = try await world.runtime.accounts.open(AccountKey(user, CustodyBooks.customer, .usdc))
            let held: ID<Reservation> = try await world.pool.query("select id from defi.reservations")[0][0]
            try await world.apply([.release(held, of: account, reason: "test")])
            try await world.custody.sender.round()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "pending")
            #expect(try await world.pool.query("select 1 from defi.custody_attempts").count == 0)
        }
    }
}

extension CustodyWorld {
    fileprivate func apply(_ commands: [LedgerCommand]) async throws {
        let outcome = try await runtime.ledger.submit(batch: [LedgerItem(operation: ids.next(), commands: commands)])
        guard case .done = outcome[0] else { throw Refused(outcome: outcome[0]) }
    }

    private struct Refused: Error {
        let outcome: LedgerOutcome
    }

    /// What sends payouts, where something happens while one is signed.
    fileprivate func sender(_ meanwhile: @escaping @Sendable () async throws -> Void) -> CustodySender {
        CustodySender(
            OvertakenChain(chain: custody.chain, meanwhile: meanwhile),
            runtime,
            withdrawals: custody.withdrawals,
            books: custody.sender.books,
            checks: custody.sender.checks,
            payouts: custody.sender.payouts,
            faults: custody.faults,
            logger: .quiet
        )
    }
}

/// A chain on which something happens while the custodian signs.
private struct OvertakenChain: CustodyChain {
    let chain: any CustodyChain
    let meanwhile: @Sendable () async throws -> Void

    var name: String { chain.name }
    var coin: Asset { chain.coin }
    var account: String { chain.account }
    var confirmations: Int64 { chain.confirmations }

    func has(_ asset: Asset) -> Bool { chain.has(asset) }
    func address(_ text: String) -> String? { chain.address(text) }

    func look(at block: BlockReference, _ assets: [Asset], having read: ReadBlock?) async throws -> CustodyBlock? {
        try await chain.look(at: block, assets, having: read)
    }

    func requireStanding(_ hash: [UInt8], in block: BlockReference?, succeeded: Bool) async throws(NodeError) {
        try await chain.requireStanding(hash, in: block, succeeded: succeeded)
    }

    func block(of hash: [UInt8]) async throws(NodeError) -> BlockReference? { try await chain.block(of: hash) }
    func knows(_ hash: [UInt8]) async throws(NodeError) -> Bool { try await chain.knows(hash) }

    func holdings(of assets: [Asset], at number: Int64) async throws -> [Int128] {
        try await chain.holdings(of: assets, at: number)
    }

    func signed(_ withdrawal: CustodyWithdrawal) async throws -> CustodyWithdrawal.Signed {
        try await meanwhile()
        return try await chain.signed(withdrawal)
    }

    func dearer(
        than signed: CustodyWithdrawal.Signed,
        isRefused: Bool
    ) async throws -> CustodyWithdrawal.Signed? {
        try await chain.dearer(than: signed, isRefused: isRefused)
    }

    func send(_ signed: CustodyWithdrawal.Signed) async -> Reception { await chain.send(signed) }
    func fate(of attempts: [CustodyWithdrawal.Signed]) async throws -> CustodyFate {
        try await chain.fate(of: attempts)
    }
}

import DomainKit
import Kernel
import Ledger
import PostgreSQL
import TestSupport
import Testing
import WalletCrypto

@testable import DeFi

/// What custody does besides moving crypto: compares itself with the chain, stops what would leave too early, and gets
/// payouts through that no block takes.
@Suite(.serialized)
struct CustodyUpkeepTests {
    @Test func `a shortfall stops what leaves a customer's custody until it is settled`() async throws {
        try await CustodyWorld.with(confirmations: 1) { world in
            let ada = try await world.indebted(withdrawing: "0.5")
            let refused = try await world.withdraw("0.1", "ETH", by: ada)
            #expect(refused.status == 422 && refused.json["code"] == "account_frozen", "\(refused.json)")
            // What was asked for before waits, and can be taken back.
            try await world.makeDue()
            try await world.custody.sender.round()
            let waiting = try await world.newest("withdrawals", of: ada)
            #expect(waiting["reason"] == "account_frozen" && waiting["may_be_cancelled"] == true, "\(waiting)")
            let stopped = try await world.operations.frozen(limit: 10)
            #expect(Set(stopped.compactMap { $0["asset"]?.stringValue }) == ["ETH", "USDC", "USDT"])
            #expect(stopped.allSatisfy { $0["user"]?.stringValue == ada.user.wire })
            #expect(stopped.first { $0["asset"] == "USDC" }?["owed"]?.stringValue == "6.00")
            // What comes later pays it.
            try await world.send("15", .usdc, from: ada)
            try await world.follow()
            try await world.finalise()
            #expect(try await world.operations.frozen(limit: 10).isEmpty)
            #expect(try await world.held(.usdc, by: ada, kind: "receivable") == 0)
            try await world.makeDue()
            try await world.custody.sender.round()
            try await world.follow()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "confirmed")
            try await world.expectBooksAreChain()
        }
    }

    @Test func `an operator lets custody go with a reason, and what is owed stays owed`() async throws {
        try await CustodyWorld.with(confirmations: 1) { world in
            let ada = try await world.indebted()
            try await world.operations.release(ada.user, because: "paid by wire", by: "eve")
            #expect(try await world.withdraw("0.1", "ETH", by: ada).status == 202)
            #expect(try await world.held(.usdc, by: ada, kind: "receivable") == -6_000_000)
            let entries = try await world.pool.query(
                "select actor, after->>'reason' as reason from defi.audit_log where action = 'custody.released'"
            )
            let (actor, reason): (String, String) = (try entries[0]["actor"], try entries[0]["reason"])
            #expect(actor == "operator:eve" && reason == "paid by wire")
            await #expect(throws: Problem.self) {
                try await world.operations.release(ada.user, because: "again", by: "eve")
            }
        }
    }

    @Test func `coins that a contract sends within a call are found by the comparison`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let equal = try await world.custody.reconciliation.reconcile()
            #expect(equal.count == 3 && equal.allSatisfy { $0.holding.difference == 0 }, "\(equal)")
            // A contract that passes on what it is created with: CALL(gas, custodian, callvalue).
            let account = world.account
            let code: [UInt8] =
                [0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x34, 0x73] + account.bytes + [0x5a, 0xf1, 0x00]
            try await world.dev.create(code, with: BigUInt.powerOfTen(17), from: ada.place)
            // Not final yet: both sides are of a block before it.
            try await world.follow()
            #expect(try await world.custody.reconciliation.reconcile().allSatisfy { $0.holding.difference == 0 })
            try await world.finalise()
            let found = try await world.operations.reconcile()
            let coins = try #require(found.first { $0["asset"] == "ETH" })
            #expect(coins["difference"]?.stringValue == "0.10", "\(coins)")
            #expect(coins["meaning"] == "came within a call of a contract")
            #expect(found.filter { $0["meaning"] == "none" }.count == 2)
            let again = try await world.operations.reconcile()
            #expect(again.first { $0["asset"] == "ETH" }?["since"] == coins["since"])
            #expect(try await world.held(.eth, by: ada) == 0)
        }
    }

    @Test func `nothing is compared while something of final blocks isn't booked`() async throws {
        try await CustodyWorld.with { world in
            _ = try await world.depositor(1)
            _ = try await world.pool.query(
                """
                insert into defi.custody_blocks (chain, number, hash, next_at)
                values (\(world.chain.name), 1, \(Bytes([UInt8](repeating: 1, count: 32))), 'infinity')
                """
            )
            let error = await #expect(throws: Problem.self) { try await world.operations.reconcile() }
            #expect(error?.code == "custody_catching_up")
        }
    }

    @Test(arguments: [true, false])
    func `a payout that no block takes is sped up, and paid once whichever of the two lands`(arrives: Bool) async throws
    {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let before = try await world.tokens(.usdc, of: ada.address)
            _ = try await world.withdraw("20", "USDC", by: ada)
            // Where the first doesn't arrive, it is mined when it is sent again, just before the second is signed.
            if arrives {
                try await world.dev.setAutomine(false)
            } else {
                try await world.dev.fault(.drop, on: "eth_sendRawTransaction")
            }
            try await world.custody.sender.round()
            let first = try await world.newest("withdrawals", of: ada)["transaction_hash"]
            try await world.waitLong()
            try await world.custody.sender.round()
            let second = try await world.newest("withdrawals", of: ada)["transaction_hash"]
            #expect(second != first)
            try await world.dev.mine()
            try await world.follow()
            try await world.finalise()
            let paid = try await world.newest("withdrawals", of: ada)
            #expect(paid["status"] == "confirmed" && paid["transaction_hash"] == (arrives ? second : first), "\(paid)")
            #expect(try await world.tokens(.usdc, of: ada.address) - before == 20_000_000)
            try await world.makeDue()
            #expect(try await world.custody.sender.round() == 0)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `a payout is made dearer as long as the ceiling allows, and operators hear that it waits`() async throws
    {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let chains = ChainOperations(world.runtime, world.parts, [])
            _ = try await world.withdraw("20", "USDC", by: ada)
            try await world.dev.setAutomine(false)
            try await world.custody.sender.round()
            #expect(try await world.custody.waiting.tell().isEmpty)
            #expect(try await chains.transactions(stuck: true, limit: 10).isEmpty)
            for _ in 0..<CustodySender.attemptsMax {
                try await world.waitLong()
                try await world.custody.sender.round()
                if try await world.newest("withdrawals", of: ada)["reason"] == "no_block_yet" { break }
            }
            let rows = try await world.pool.query("select raw, nonce from defi.custody_attempts order by signed_at")
            #expect(rows.count > 10 && rows.count < CustodySender.attemptsMax)
            var last = BigUInt.zero
            for row in rows {
                let raw: Bytes = try row["raw"]
                let transaction = try SignedEthereumTransaction(raw.array).transaction
                #expect(transaction.offered.maxFee > last && transaction.offered.maxFee <= world.chain.gasCeiling)
                last = transaction.offered.maxFee
            }
            #expect(last * BigUInt(9) > world.chain.gasCeiling * BigUInt(8))
            let nonces: Int = try await world.pool.query("select count(distinct nonce) from defi.custody_attempts")[0][
                0
            ]
            #expect(nonces == 1)
            let late = try await world.custody.waiting.tell()
            #expect(late.count == 1 && late[0].attempts == rows.count && late[0].age >= 3_600)
            #expect(late.first?.reason == "no_block_yet")
            let stuck = try await chains.transactions(stuck: true, limit: 10)
            #expect(stuck.count == 1 && stuck[0]["kind"] == "payout", "\(stuck)")
            #expect(stuck.first?["intent"]?.stringValue == late.first?.id.wire)
            try await world.dev.mine()
            try await world.follow()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "confirmed")
            #expect(try await world.custody.waiting.tell().isEmpty)
            #expect(try await chains.transactions(stuck: true, limit: 10).isEmpty)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `however many owe, and whatever fails with one, those go free who owe nothing any more`() async throws {
        try await CustodyWorld.with(confirmations: 1) { world in
            let ada = try await world.indebted()
            let (all, paid) = (2 * CustodyFreezes.pageMax + 50, CustodyFreezes.pageMax + 20)
            let owner = world.database.pool()
            // Before ada in the order of ids: many who owe what they don't have, and many who owe nothing.
            _ = try await owner.query(
                """
                insert into defi.ledger_accounts (id, owner, kind, asset, may_go_negative, posted, frozen_because)
                select gen_random_uuid(), ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, k.kind, 'USDC',
                    k.kind = 'receivable', k.posted, k.because
                from generate_series(1, \(all)) n,
                    (values ('positions', 0, \(CustodyFreezes.words + "test")), ('receivable', -5, null))
                        as k(kind, posted, because)
                where k.kind = 'positions' or n > \(paid)
                """
            )
            _ = try await owner.query(
                """
                alter table defi.ledger_accounts add constraint refused_by_test
                    check (owner <> '00000000-0000-0000-0000-000000000007' or frozen_because is not null)
                """
            )
            try await world.send("15", .usdc, from: ada)
            try await world.follow()
            try await world.finalise()
            func frozen(_ condition: SQL) async throws -> Int {
                try await world.pool.query(
                    """
                    select count(distinct owner) from defi.ledger_accounts
                    where frozen_because is not null and \(condition)
                    """
                )[0][0]
            }
            #expect(try await frozen("owner = \(ada.user)") == 0)
            #expect(try await frozen("true") == all - paid + 1)
            _ = try await owner.query("alter table defi.ledger_accounts drop constraint refused_by_test")
            try await world.follow()
            #expect(try await frozen("true") == all - paid)
        }
    }
}

extension CustodyWorld {
    /// Somebody with an ETH whose 10 USDC the chain took back, after 6 of them were spent; `withdrawing` ETH before.
    fileprivate func indebted(withdrawing amount: String? = nil) async throws -> Person {
        let ada = try await depositor(1, "1", .eth)
        if let amount { #expect(try await withdraw(amount, "ETH", by: ada).status == 202) }
        let bob = try await person(2)
        try await send("10", .usdc, from: ada)
        try await follow()
        try await finalise()
        let spent = NewTransfer(
            id: ids.next(),
            debit: try await runtime.accounts.open(AccountKey(ada.user, CustodyBooks.customer, .usdc)),
            credit: try await runtime.accounts.open(AccountKey(bob.user, CustodyBooks.customer, .usdc)),
            amount: 6_000_000,
            code: "test"
        )
        _ = try await runtime.ledger.submit(batch: [LedgerItem(operation: ids.next(), commands: [.transfer(spent)])])
        try await dev.reorganise(depth: 2, keeping: false)
        try await follow()
        #expect(try await held(.usdc, by: ada, kind: "receivable") == -6_000_000)
        return ada
    }

    /// Everything that was signed has waited for long, and is due.
    fileprivate func waitLong() async throws {
        _ = try await pool.query("update defi.custody_attempts set signed_at = signed_at - interval '1 hour'")
        try await makeDue()
    }
}

extension DevChain {
    /// Runs code with coins, from one of the chain's accounts.
    fileprivate func create(_ code: [UInt8], with value: BigUInt, from place: Int) async throws {
        let transaction = try #require(
            EthereumTransaction(
                chainID: 31_337,
                nonce: try await node.nonce(of: address(place), at: .pending),
                fee: .dynamic(
                    maxFeePerGas: BigUInt(100) * BigUInt.powerOfTen(9),
                    maxPriorityFeePerGas: BigUInt.powerOfTen(9)
                ),
                gasLimit: 200_000,
                to: nil,
                value: value,
                data: code
            )
        )
        try await deliver(try signers[place].sign(transaction).bytes)
    }
}

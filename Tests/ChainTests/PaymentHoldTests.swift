import DomainKit
import Kernel
import Ledger
import PostgreSQL
import TestSupport
import Testing
import WalletCrypto

@testable import DeFi

/// What payments on Bitcoin, Solana and Sui hold of what their wallets have, in the books, until they end.
@Suite(.serialized)
struct PaymentHoldTests {
    @Test func `on Bitcoin amount and fee are held, over replacements and reorganisations`() async throws {
        try await BitcoinWorld.with(confirmations: 3) { world in
            let one = try await world.person(.p2wpkh, [300_000])
            let other = try await world.person(.p2tr, [])
            try await world.know(other.address, by: one)
            let holds = Holds(pool: world.pool, owner: world.owner)
            let built = try await world.pay("0.001", to: other.address, by: one)
            #expect(try await world.reserved(by: one) == 100_000 + built.unsigned.feeMax)
            let payment = try await world.submit(built, by: one)
            let faster = try await world.replace(payment, "speed_up", by: one)
            #expect(faster.unsigned.feeMax > payment.unsigned.feeMax)
            #expect(try await world.reserved(by: one) == 100_000 + faster.unsigned.feeMax)
            try await world.submit(faster, by: one)
            try await world.mine()
            try await world.follow()
            #expect(try await world.now(faster).state.name == "included")
            #expect(try await world.reserved(by: one) == 0)
            try await holds.check()
            try await world.reorganise(depth: 1, keeping: false)
            try await world.follow()
            #expect(try await world.now(faster).state.block == nil)
            #expect(try await world.reserved(by: one) == 100_000 + faster.unsigned.feeMax)
            try await world.makeDue()
            try await world.parts.sender.round()
            try await world.follow()
            try await world.makeDue()
            try await world.parts.sender.round()
            try await world.finalise()
            try await world.finalise()
            #expect(try await world.now(faster).state.name == "final")
            #expect(try await world.now(payment).state == .replaced)
            try await world.expectBooks(of: [one, other])
            try await holds.check(none: true)
        }
    }

    @Test func `on Bitcoin what no node will ever take is over and lets go`() async throws {
        try await BitcoinWorld.with(confirmations: 3) { world in
            let one = try await world.person(.p2wpkh, [300_000])
            try await world.fault(.drop, on: "sendrawtransaction")
            let payment = try await world.submit(try await world.pay("0.001", to: one.address, by: one), by: one)
            #expect(payment.state == .signed)
            // Bytes that no node reads, refused for the last time but one.
            _ = try await world.pool.query(
                """
                update defi.payments set raw = '\\x00', refusals = \(SendQueue.refusalsMax - 2)
                where id = \(payment.id)
                """
            )
            for state in [IntentState.signed, .replaced] {
                try await world.makeDue()
                try await world.parts.sender.round()
                #expect(try await world.now(payment).state == state)
            }
            #expect(try await world.now(payment).reason == "refused_by_nodes")
            #expect(try await world.reserved(by: one) == 0)
            let inputs = try await world.pool.query("select count(*) from defi.payment_inputs")
            #expect(try inputs[0][0] == 0)
            try await Holds(pool: world.pool, owner: world.owner).check(none: true)
        }
    }

    @Test func `two that share their coins and end at one moment leave none of them taken`() async throws {
        try await BitcoinWorld.with(confirmations: 3) { world in
            let one = try await world.person(.p2wpkh, [300_000])
            let slow = try await world.submit(try await world.pay("0.001", to: one.address, by: one), by: one)
            let fast = try await world.replace(slow, "speed_up", by: one)
            try await world.submit(fast, by: one)
            // Nothing waits for them any more; both are ended in transactions of their own, which begin while neither
            // can be changed.
            _ = try await world.pool.query("update defi.payments set state = 'signed'")
            let family = try await world.payments.family(of: slow.id)
            #expect(family.count == 2)
            let pool = world.pool
            let (locked, lock) = AsyncStream.makeStream(of: Void.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await pool.withTransaction { transaction in
                        _ = try await transaction.query("select from defi.payments for update")
                        lock.finish()
                        try await world.owner.untilWaiting(2)
                    }
                }
                for await _ in locked {}
                for payment in family {
                    group.addTask {
                        let item = try await world.parts.books.item(payment, .settled, because: "test")
                        _ = try await world.runtime.ledger.submit(batch: [item])
                    }
                }
                try await group.waitForAll()
            }
            let left = try await pool.query("select count(*) from defi.payment_inputs")
            #expect(try left[0][0] == 0)
        }
    }

    @Test func `on Bitcoin what is never signed lets go`() async throws {
        try await BitcoinWorld.with(confirmations: 3) { world in
            let one = try await world.person(.p2wpkh, [300_000])
            let built = try await world.pay("0.001", to: one.address, by: one)
            #expect(try await world.reserved(by: one) > 100_000)
            _ = try await world.pool.query("update defi.payments set expires_at = now() where id = \(built.id)")
            try await world.follow()
            #expect(try await world.now(built).state == .expired)
            #expect(try await world.reserved(by: one) == 0)
            try await Holds(pool: world.pool, owner: world.owner).check(none: true)
        }
    }

    @Test func `on Solana a token's payment holds the token, and its fee in the coin`() async throws {
        try await SolanaDev.with { dev in
            try await PaymentWorld.with(try dev.followed()) { world in
                let (one, other) = (try await world.person(), try await world.person())
                try await world.know(other.address, by: one)
                try await dev.fund(one.address, 5_000_000_000)
                try await dev.mint(100_000_000, to: one.address)
                try await dev.finalise()
                try await world.follow()
                let payment = try await world.pay("25", "USDC", to: other.address, by: one)
                #expect(try await world.reserved(.usdc, of: one) == 25_000_000)
                #expect(try await world.reserved(.sol, of: one) == payment.unsigned.feeMax)
                try await dev.finalise()
                try await world.follow()
                #expect(try await world.now(payment).state.name == "final")
                #expect(try await world.reserved(.usdc, of: one) == 0)
                #expect(try await world.reserved(.sol, of: one) == 0)
                #expect(try await world.booked(.usdc, of: one) == 75_000_000)
                try await Holds(pool: world.pool, owner: world.pool).check(none: true)
            }
        }
    }

    @Test func `on Sui a payment holds its coins until its checkpoint`() async throws {
        try await SuiDev.with { dev in
            try await PaymentWorld.with(try dev.followed()) { world in
                let (one, other) = (try await world.person(), try await world.person())
                try await world.know(other.address, by: one)
                try await dev.fund(one.address, 3_000_000_000)
                try await dev.checkpoint()
                try await world.follow()
                let payment = try await world.pay("1.5", "SUI", to: other.address, by: one)
                #expect(try await world.reserved(.sui, of: one) == 1_500_000_000 + payment.unsigned.feeMax)
                try await dev.checkpoint(2)
                try await world.follow()
                #expect(try await world.now(payment).state.name == "final")
                #expect(try await world.reserved(.sui, of: one) == 0)
                try await Holds(pool: world.pool, owner: world.pool).check(none: true)
            }
        }
    }
}

extension BitcoinWorld {
    /// What is reserved of what somebody's wallet has, in satoshi.
    fileprivate func reserved(by person: Person) async throws -> Int128 {
        let kind = WalletBooks.account(person.user, chain.name, .btc).kind
        return try await runtime.accounts.balances(of: person.user.value)
            .first { $0.kind == kind }?.reserved.minorUnits ?? 0
    }
}

extension PaymentWorld {
    /// What is reserved of what somebody's wallet has of an asset, in minor units.
    fileprivate func reserved(_ asset: Asset, of person: Person) async throws -> Int128 {
        let kind = WalletBooks.account(person.user, chain.name, asset).kind
        return try await runtime.accounts.balances(of: person.user.value)
            .first { $0.kind == kind && $0.total.asset == asset }?.reserved.minorUnits ?? 0
    }
}

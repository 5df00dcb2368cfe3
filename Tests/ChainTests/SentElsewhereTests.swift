import Compliance
import Kernel
import PostgreSQL
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// What wallets send by themselves, before it is given back here: it is taken and followed as any other payment.
@Suite(.serialized)
struct SentElsewhereTests {
    @Test(arguments: [0, 1, 8])
    func `on Bitcoin, in a pool or in a block that was followed long ago`(_ blocks: Int) async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh, [500_000])
            let payment = try await world.pay("0.002", to: ada.address, by: ada)
            let signed = try world.signed(payment, by: ada)
            let spent = try #require(try PSBT(base64: payment.unsigned.text).spent)
            let raw = try #require(signed.finalized(spending: spent)).bytes
            #expect(await world.node.send(raw) == .accepted)
            if blocks > 0 { try await world.mine(blocks) }
            try await world.follow()
            let answer = try await world.give(signed.base64, for: payment, by: ada)
            #expect(answer.status == 202, "\(answer.json)")
            #expect(try await world.now(payment).state == .broadcast)
            try await world.follow()
            #expect(try await world.now(payment).state.name == (blocks > 0 ? "included" : "broadcast"))
            try await world.finalise()
            #expect(try await world.now(payment).state.name == "final")
            #expect(try await world.fees() == payment.unsigned.fee)
            try await world.expectBooks(of: [ada])
        }
    }

    @Test func `on Bitcoin, to somebody who is blocked since`() async throws {
        try await BitcoinWorld.with { world in
            let (ada, bob) = (try await world.person(.p2wpkh, [500_000]), try await world.person(.p2tr))
            try await world.know(bob.address, by: ada)
            let payment = try await world.pay("0.002", to: bob.address, by: ada)
            let signed = try world.signed(payment, by: ada)
            let spent = try #require(try PSBT(base64: payment.unsigned.text).spent)
            let raw = try #require(signed.finalized(spending: spent)).bytes
            world.screening.say(.block, of: "\(world.chain.name):\(bob.address)")
            // In no block it would be sent again from here.
            #expect(await world.node.send(raw) == .accepted)
            #expect(try await world.give(signed.base64, for: payment, by: ada).status == 422)
            try await world.mine()
            #expect(try await world.give(signed.base64, for: payment, by: ada).status == 202)
            try await world.finalise()
            #expect(try await world.now(payment).state.name == "final")
        }
    }

    @Test func `on Solana, when its time is over`() async throws {
        try await SolanaDev.with { dev in
            try await PaymentWorld.with(try dev.followed()) { world in
                let (one, other) = (try await world.person(), try await world.person())
                try await world.know(other.address, by: one)
                try await dev.fund(one.address, 5_000_000_000)
                try await dev.fund(other.address, 1_000_000_000)
                try await dev.finalise()
                try await world.follow()
                let payment = try await world.build("1", "SOL", to: other.address, by: one)
                try await self.isTaken(payment, by: one, world) { try await dev.warp(220) }
                try await dev.finalise()
                try await world.follow()
                #expect(try await world.now(payment).state.name == "final")
                #expect(try await world.booked(.sol, of: other) == 2_000_000_000)
            }
        }
    }

    @Test func `on Sui, when its coins are others`() async throws {
        try await SuiDev.with { dev in
            try await PaymentWorld.with(try dev.followed()) { world in
                let (one, other) = (try await world.person(), try await world.person())
                try await world.know(other.address, by: one)
                try await dev.fund(one.address, 3_000_000_000)
                try await dev.checkpoint()
                try await world.follow()
                let payment = try await world.build("1", "SUI", to: other.address, by: one)
                try await self.isTaken(payment, by: one, world) { try await dev.checkpoint(3) }
                try await dev.checkpoint()
                try await world.follow()
                let state = try await world.now(payment).state
                #expect(state.name == "final")
                #expect(try await world.fees() == state.inclusion?.gasCost)
                #expect(try await world.booked(.sui, of: other) == 1_000_000_000)
            }
        }
    }

    /// Sends a payment past us, lets time pass and blocks be forgotten, and gives it back.
    private func isTaken(
        _ payment: Payment,
        by person: PaymentWorld.Person,
        _ world: PaymentWorld,
        _ pass: () async throws -> Void
    ) async throws {
        let returned = try person.signer.sign(transaction: payment.unsigned.text)
        let given = ReturnedPayment(transaction: returned.transaction, signature: returned.signature)
        let signed = try world.chain.read(given, for: payment.unsigned, of: payment.order())
        #expect(await world.chain.send(signed) == .accepted)
        try await pass()
        try await world.follow()
        // As after the thousands of blocks of some minutes.
        _ = try await world.pool.query(
            """
            delete from defi.chain_blocks b using defi.chains c where c.name = b.chain and b.hash <> c.head_hash
            """
        )
        let answer = try await world.submit(returned, for: payment, by: person)
        #expect(answer.status == 202, "\(answer.json)")
        #expect(try await world.now(payment).state == .broadcast)
        try await world.follow()
        #expect(try await world.now(payment).state.name == "included")
    }
}

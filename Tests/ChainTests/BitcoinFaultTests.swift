import Kernel
import PostgreSQL
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// Payments on a Bitcoin whose node fails, whose blocks are taken back, and where others are quicker.
@Suite(.serialized)
struct BitcoinFaultTests {
    @Test func `blocks that are taken back take what they did with them`() async throws {
        try await BitcoinWorld.with(confirmations: 8) { world in
            let ada = try await world.person(.p2wpkh, [500_000])
            for depth in 1...6 {
                for keeping in [true, false] { try await world.takeBack(depth, keeping: keeping, of: ada) }
            }
        }
    }

    @Test func `a payment that pays too little is overtaken by its own replacement`() async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2tr, [500_000, 30_000])
            let slow = try await world.submit(try await world.pay("0.00496", to: ada.address, by: ada), by: ada)
            // Its surplus doesn't pay for another fee: another coin joins.
            let fast = try await world.replace(slow, "speed_up", by: ada)
            #expect(fast.root == slow.id && fast.unsigned.fee > slow.unsigned.fee)
            #expect(Set(fast.unsigned.inputs).isSuperset(of: slow.unsigned.inputs))
            try await world.submit(fast, by: ada)
            #expect(try await world.now(fast).state == .broadcast)
            try await world.mine()
            try await world.follow()
            #expect(try await world.now(slow).state.name == "displaced")
            try await world.finalise()
            #expect(try await world.now(slow).state == .replaced)
            #expect(try await world.now(slow).reason == "inputs_spent")
            #expect(try await world.now(fast).state.name == "final")
            try await world.expectBooks(of: [ada])
            let left = try await world.pool.query("select count(*) from defi.payment_inputs")
            #expect(try left[0][0] == 0)
            let late = try await world.ask(
                "POST",
                "/v1/defi/intents/\(slow.id.wire)/replace",
                by: ada,
                ["action": "cancel"]
            )
            #expect(late.status == 409)
        }
    }

    @Test func `a payment that is cancelled goes back to who pays`() async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh, [500_000])
            let bob = try await world.person(.p2pkh)
            try await world.know(bob.address, by: ada)
            let payment = try await world.submit(try await world.pay("0.004", to: bob.address, by: ada), by: ada)
            let cancel = try await world.replace(payment, "cancel", by: ada)
            #expect(cancel.draft.kind == .cancel && cancel.draft.recipient == ada.address)
            try await world.submit(cancel, by: ada)
            try await world.mine()
            try await world.finalise()
            #expect(try await world.now(payment).state == .replaced)
            #expect(try await world.now(cancel).state.name == "final")
            #expect(try await world.held(by: bob) == 0)
            #expect(try await world.held(by: ada) == 500_000 - cancel.unsigned.fee)
            try await world.expectBooks(of: [ada, bob])
        }
    }

    @Test func `coins that their owner spends elsewhere end what was built on them`() async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh, [500_000, 200_000])
            let payment = try await world.pay("0.004", to: ada.address, by: ada)
            let unsigned = try await world.pay("0.001", to: ada.address, by: ada)
            // With the same coins and a higher fee, past us.
            let built = try PSBT(base64: payment.unsigned.text)
            let spent = try #require(built.spent)
            let script = built.transaction.outputs[0].script
            let other = BitcoinTransaction(
                inputs: built.transaction.inputs,
                outputs: [.init(amount: 450_000, script: script)]
            )
            let raw = try #require(try ada.signs(other, spending: spent).finalized(spending: spent)).bytes
            try await world.submit(payment, by: ada)
            #expect(await world.node.send(raw) == .accepted)
            try await world.mine()
            try await world.follow()
            #expect(try await world.now(payment).state.name == "displaced")
            try await world.finalise()
            #expect(try await world.now(payment).state == .replaced)
            #expect(try await world.now(unsigned).state == .built)
            try await world.expectBooks(of: [ada])
            #expect(try await world.held(by: ada) == 650_000)
            #expect(try await world.fees() == 0)
        }
    }

    @Test func `a node that fails while it is sent to ends with one payment`() async throws {
        try await BitcoinWorld.with(confirmations: 2) { world in
            let ada = try await world.person(.p2wpkh, [500_000])
            for fault in DevChain.Fault.allCases where fault != .delay {
                let payment = try await world.pay("0.002", to: ada.address, by: ada)
                try await world.fault(fault, on: "sendrawtransaction")
                try await world.submit(payment, by: ada)
                for _ in 0..<20 where try await world.now(payment).state != .broadcast {
                    try await world.makeDue()
                    try await world.parts.sender.round()
                }
                #expect(try await world.now(payment).state == .broadcast, "\(fault)")
                // It has it already, in its pool and in a block: that is success.
                let raw = try #require(try await world.now(payment).signed).raw
                #expect(await world.node.send(raw) == .accepted)
                try await world.mine()
                #expect(await world.node.send(raw) == .accepted)
                try await world.finalise()
                #expect(try await world.now(payment).state.name == "final", "\(fault)")
                try await world.expectBooks(of: [ada], "\(fault)")
            }
        }
    }

    @Test func `a process that ends between sending and storing loses nothing`() async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh, [500_000])
            let payment = try await world.pay("0.002", to: ada.address, by: ada)
            // The node has it, and nobody has stored so.
            try await world.fault(.error, on: "sendrawtransaction")
            try await world.submit(payment, by: ada)
            let raw = try #require(try await world.now(payment).signed).raw
            #expect(await world.node.send(raw) == .accepted)
            let next = try await world.restarted()
            try await next.mine()
            try await next.makeDue()
            try await next.parts.sender.round()
            #expect(try await next.now(payment).state == .broadcast)
            try await next.follow()
            #expect(try await next.now(payment).state.name == "included")
            try await next.finalise()
            #expect(try await next.now(payment).state.name == "final")
            try await next.expectBooks(of: [ada])
        }
    }
}

extension BitcoinWorld {
    /// A payment that is in a block, which is taken back with those upon it; it comes again, or has to be sent again.
    fileprivate func takeBack(_ depth: Int, keeping: Bool, of person: Person) async throws {
        let note = "depth \(depth), keeping \(keeping)"
        let before = try await fees()
        let payment = try await submit(try await pay("0.002", to: person.address, by: person), by: person)
        let paid = before + payment.unsigned.fee
        try await mine(depth)
        try await follow()
        #expect(try await now(payment).state.name == "included", "\(note)")
        #expect(try await fees() == paid, "\(note)")
        try await reorganise(depth: depth, keeping: keeping)
        try await follow()
        try await expectBooks(of: [person], note)
        if keeping {
            #expect(try await now(payment).state.name == "included", "\(note)")
        } else {
            // Nobody has it any more: the same bytes are sent again.
            #expect(try await fees() == before, "\(note)")
            #expect(try await now(payment).state == .dropped, "\(note)")
            try await makeDue()
            try await parts.sender.round()
            #expect(try await now(payment).state == .broadcast, "\(note)")
            try await mine()
        }
        try await finalise()
        #expect(try await now(payment).state.name == "final", "\(note)")
        try await expectBooks(of: [person], note)
        #expect(try await fees() == paid, "\(note)")
    }
}

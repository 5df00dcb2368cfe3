import Compliance
import Kernel
import PostgreSQL
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// Payments on a real Bitcoin: built here, signed outside, followed until they are final.
@Suite(.serialized)
struct BitcoinPaymentTests {
    @Test(arguments: BitcoinScript.SingleKey.allCases)
    func `a payment is built, signed outside, sent and final, and the books are the chain`(
        _ form: BitcoinScript.SingleKey
    ) async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(form, [700_000, 400_000])
            let bob = try await world.person(.p2tr)
            try await world.know(bob.address, by: ada)
            #expect(try await world.held(by: ada) == 1_100_000)
            let payment = try await world.pay("0.009", to: bob.address, by: ada)
            let built = try PSBT(base64: payment.unsigned.text)
            #expect(built.transaction.outputs[0].amount == 900_000)
            #expect(built.transaction.inputs.allSatisfy { $0.sequence == 0xFFFF_FFFD })
            let sent = try await world.submit(payment, by: ada)
            #expect(sent.state == .broadcast)
            // The fee that was told is the one that is paid, by the size that was reckoned with.
            let returned = try #require(sent.signed)
            let raw = try #require(BitcoinTransaction(returned.raw))
            let size = Int128(raw.virtualSize)
            #expect(payment.unsigned.fee >= size * 3_520 / 1_000 && payment.unsigned.fee <= (size + 4) * 3_520 / 1_000)
            try await world.mine()
            try await world.follow()
            let included = try await world.now(payment)
            #expect(included.state.inclusion?.gasCost == payment.unsigned.fee)
            try await world.expectBooks(of: [ada, bob])
            #expect(try await world.held(by: bob) == 900_000)
            try await world.finalise()
            #expect(try await world.now(payment).state.name == "final")
            #expect(try await world.fees() == payment.unsigned.fee)
            let totals = try await WalletTotals.of(ada.wallet, in: .defi, world.pool)
            #expect(totals.first?.received == 1_100_000 && totals.first?.sent == 900_000 + payment.unsigned.fee)
            let left = try await world.pool.query("select count(*) from defi.payment_inputs")
            #expect(try left[0][0] == 0)
            // The same again is no fault, and another one comes too late.
            try await world.submit(payment, by: ada)
            let list = try await world.ask("GET", "/v1/defi/transactions", by: ada)
            #expect(list.json["data"]?.elements?.first?["status"] == "final", "\(list.json)")
            let told = try await world.ask("GET", "/v1/defi/transactions/\(payment.id.wire)/explain", by: ada)
            #expect((told.json["timeline"]?.elements?.count ?? 0) >= 5, "\(told.json)")
        }
    }

    @Test func `what differs from what was built is refused with its reason`() async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh, [900_000])
            let eve = try await world.person(.p2wpkh)
            let payment = try await world.pay("0.004", to: ada.address, by: ada)
            let built = try PSBT(base64: payment.unsigned.text)
            let spent = try #require(built.spent)
            func refused(_ text: String) async throws -> String {
                let answer = try await world.give(text, for: payment, by: ada)
                #expect(answer.status == 422, "\(answer.json)")
                return answer.json["code"]?.stringValue ?? ""
            }
            func changed(
                _ outputs: [BitcoinTransaction.Output],
                inputs: [BitcoinTransaction.Input]? = nil,
                lockTime: UInt32 = 0
            ) throws -> String {
                let inputs = inputs ?? built.transaction.inputs
                let other = BitcoinTransaction(inputs: inputs, outputs: outputs, lockTime: lockTime)
                return try ada.signs(other, spending: spent).base64
            }
            let outputs = built.transaction.outputs
            let theirs = try #require(BitcoinAddress(eve.address, network: .regtest)).script.bytes
            var other = outputs
            other[0] = .init(amount: outputs[0].amount, script: theirs)
            #expect(try await refused(try changed(other)) == "other_recipient")
            #expect(
                try await refused(try changed(outputs + [.init(amount: 1_000, script: theirs)])) == "other_recipient"
            )
            other = outputs
            other[0] = .init(amount: outputs[0].amount + 1, script: outputs[0].script)
            #expect(try await refused(try changed(other)) == "other_value")
            other = outputs
            other[1] = .init(amount: outputs[1].amount - 50_000, script: outputs[1].script)
            #expect(try await refused(try changed(other)) == "other_fee")
            #expect(try await refused(try changed(outputs, lockTime: 1)) == "other_contents")
            let input = built.transaction.inputs[0]
            let final = BitcoinTransaction.Input(
                previousID: input.previousID,
                previousIndex: input.previousIndex,
                sequence: 0xFFFF_FFFF
            )
            #expect(try await refused(try changed(outputs, inputs: [final])) == "other_inputs")
            #expect(try await refused(payment.unsigned.text) == "not_signed")
            #expect(try await refused("0x0200") == "malformed_transaction")
            #expect(try await refused("AAAAAAAA") == "malformed_transaction")
            #expect(try await world.now(payment).state == .built)
        }
    }

    @Test func `a signature that isn't the wallet's over all of it is refused`() async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh, [900_000])
            let eve = try await world.person(.p2wpkh)
            let payment = try await world.pay("0.004", to: ada.address, by: ada)
            let built = try PSBT(base64: payment.unsigned.text)
            let spent = try #require(built.spent)
            func refused(_ text: String) async throws -> String {
                let answer = try await world.give(text, for: payment, by: ada)
                #expect(answer.status == 422, "\(answer.json)")
                return answer.json["code"]?.stringValue ?? ""
            }
            let forged = try eve.signer.sign(built, form: .p2wpkh)
            #expect(try await refused(forged.base64) == "not_signed")
            let stranger = try #require(forged.inputs[0].last).keyData
            let raw = try #require(try world.signed(payment, by: ada).finalized(spending: spent))
            func witness(_ stack: [[UInt8]]) -> String {
                let other = BitcoinTransaction(inputs: raw.inputs, outputs: raw.outputs, witnesses: [stack])
                return HexText.encode(other.bytes)
            }
            let (signature, key) = (raw.witnesses[0][0], raw.witnesses[0][1])
            #expect(try await refused(witness([signature, stranger])) == "other_sender")
            #expect(try await refused(witness([signature.dropLast() + [0x83], key])) == "partial_signature")
            #expect(try await refused(witness([[UInt8](signature.dropLast(2)) + [0, 1], key])) == "bad_signature")
            #expect(try await world.now(payment).state == .built)
            // A raw transaction is as good as a PSBT.
            let answer = try await world.give(HexText.encode(raw.bytes), for: payment, by: ada)
            #expect(answer.status == 202, "\(answer.json)")
        }
    }

    @Test func `what can't be paid isn't built`() async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh, [100_000, 50_000])
            let stranger = try await world.person(.p2tr)
            func refused(_ amount: String, to address: String, speed: String = "normal") async throws -> String {
                let answer = try await world.order(amount, to: address, by: ada, speed: speed)
                #expect(answer.status == 422, "\(answer.json)")
                return answer.json["code"]?.stringValue ?? ""
            }
            #expect(try await refused("0.0005", to: stranger.address) == "address_not_in_book")
            try await world.know(stranger.address, by: ada, isOpen: false)
            #expect(try await refused("0.0005", to: stranger.address) == "address_locked")
            #expect(try await refused("0.0005", to: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4") == "bad_checksum")
            #expect(try await refused("0.00000293", to: ada.address) == "amount_too_small")
            #expect(try await refused("0.0015", to: ada.address) == "insufficient_funds")
            world.screening.say(.block, of: "\(world.chain.name):\(ada.address)")
            #expect(try await refused("0.0005", to: ada.address) == "address_blocked")
            world.screening.say(.approve, of: "\(world.chain.name):\(ada.address)")
            _ = try await world.rpc.call("dev_feerate", .integer(60_000))
            #expect(try await refused("0.0005", to: ada.address, speed: "fast") == "fee_too_high")
            _ = try await world.rpc.call("dev_feerate", .integer(2_000))
            // Coins of an open payment are nobody else's.
            let first = try await world.pay("0.0004", to: ada.address, by: ada)
            let second = try await world.pay("0.0004", to: ada.address, by: ada)
            #expect(Set(first.unsigned.inputs).isDisjoint(with: second.unsigned.inputs))
            #expect(try await refused("0.0004", to: ada.address) == "insufficient_funds")
            _ = try await world.pool.query(
                "update defi.payments set created_at = now() - interval '1 hour', expires_at = now() - interval '1 s'"
            )
            try await world.follow()
            #expect(try await world.now(first).state == .expired)
            _ = try await world.pay("0.0011", to: ada.address, by: ada)
        }
    }
}

import Cryptography
import Kernel
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// Payments on a stand-in for Sui, which checks what it is given as the chain does.
@Suite struct SuiPaymentTests {
    /// Runs `body` with somebody who has 3 SUI in three coins and 100 USDC in two, and knows somebody else who has
    /// nothing.
    private func world(
        _ body:
            @Sendable (PaymentWorld, SuiDev, _ one: PaymentWorld.Person, _ other: PaymentWorld.Person) async throws
            -> Void
    ) async throws {
        try await SuiDev.with { dev in
            try await PaymentWorld.with(try dev.followed()) { world in
                let (one, other) = (try await world.person(), try await world.person())
                try await world.know(other.address, by: one)
                for _ in 0..<3 { try await dev.fund(one.address, 1_000_000_000) }
                for _ in 0..<2 { try await dev.fund(one.address, 50_000_000, "USDC") }
                try await dev.checkpoint()
                try await world.follow()
                try await body(world, dev, one, other)
            }
        }
    }

    @Test func `money comes, goes out, and is final with its checkpoint`() async throws {
        try await world { world, dev, one, other in
            #expect(try await world.booked(.sui, of: one) == 3_000_000_000)
            #expect(try await world.booked(.usdc, of: one) == 100_000_000)
            let payment = try await world.pay("1.5", "SUI", to: other.address, by: one)
            #expect(payment.state == .broadcast)
            try await world.follow()
            #expect(try await world.now(payment).state.name == "dropped")
            try await world.sendDue()
            #expect(try await world.now(payment).state == .broadcast)
            try await dev.checkpoint(2)
            try await world.follow()
            let state = try await world.now(payment).state
            #expect(state.name == "final")
            let fee = try #require(state.inclusion?.gasCost)
            #expect((1...payment.unsigned.feeMax).contains(fee))
            #expect(try await world.fees() == fee)
            #expect(try await world.booked(.sui, of: one) == 1_500_000_000 - fee)
            #expect(try await world.booked(.sui, of: other) == 1_500_000_000)
            #expect(try await world.totals(.sui, of: one).sent == 1_500_000_000 + fee)
        }
    }

    @Test func `a token is taken from several coins, and gas from another`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.pay("75", "USDC", to: other.address, by: one)
            let built = try #require(SuiChain.built(payment.unsigned))
            #expect((built.coins.count, built.gas.payment.count) == (2, 1))
            #expect(payment.unsigned.inputs.count == 3)
            try await dev.checkpoint(2)
            try await world.follow()
            #expect(try await world.now(payment).state.name == "final")
            #expect(try await world.booked(.usdc, of: one) == 25_000_000)
            #expect(try await world.booked(.usdc, of: other) == 75_000_000)
        }
    }

    @Test func `what isn't what was built is refused with the reason`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.build("1", "SUI", to: other.address, by: one)
            let built = try #require(SuiChain.built(payment.unsigned))
            func changed(
                _ units: UInt64 = 1_000_000_000,
                from sender: SuiAddress? = nil,
                to recipient: SuiAddress? = nil,
                gas: [SuiObjectReference]? = nil,
                budget: UInt64? = nil,
                lastEpoch: UInt64? = nil
            ) throws -> String {
                let (gas, price) = (gas ?? built.gas.payment, built.gas.price)
                let payment = SuiPayment(
                    units,
                    from: sender ?? built.sender,
                    to: recipient ?? built.recipient,
                    gas: SuiPayment.Gas(payment: gas, price: price, budget: budget ?? built.gas.budget),
                    lastEpoch: lastEpoch ?? built.lastEpoch
                )
                return Base64.encode(try #require(payment).bytes)
            }
            let stranger = try await world.person()
            let elsewhere = try #require(SuiAddress(stranger.address))
            let right = try one.signer.sign(transaction: payment.unsigned.text)
            let personal = try one.signer.sign(payment.unsigned.text)
            let wrong: [(String, (String, String?))] = try [
                ("other_recipient", one.signer.sign(transaction: changed(to: elsewhere))),
                ("other_value", one.signer.sign(transaction: changed(1_000_000_001))),
                ("other_fee", one.signer.sign(transaction: changed(budget: built.gas.budget + 1))),
                ("other_inputs", one.signer.sign(transaction: changed(gas: Array(built.gas.payment.dropLast())))),
                ("other_contents", one.signer.sign(transaction: changed(lastEpoch: built.lastEpoch + 1))),
                ("other_sender", stranger.signer.sign(transaction: changed(from: elsewhere))),
                ("other_sender", stranger.signer.sign(transaction: payment.unsigned.text)),
                ("bad_signature", (right.transaction, personal)), ("not_signed", (right.transaction, nil)),
                ("bad_signature", (right.transaction, try one.signer.sign(transaction: changed(2)).signature)),
                ("malformed_transaction", (String(right.transaction.dropLast(4)), right.signature)),
            ]
            for (code, returned) in wrong {
                let answer = try await world.submit(returned, for: payment, by: one)
                #expect(answer.status == 422 && answer.json["code"] == .string(code), "\(code): \(answer.json)")
            }
            #expect(try await dev.calls(of: "executeTransaction") == 0)
            #expect(try await world.submit(payment, by: one).status == 202)
            #expect(try await world.submit(payment, by: one).status == 202)
            #expect(try await dev.calls(of: "executeTransaction") == 1)
        }
    }

    @Test func `what the wallet can't pay isn't built, nor what another payment's coins pay`() async throws {
        try await world { world, dev, one, other in
            for (amount, asset, to, code) in [
                ("3", "SUI", other.address, "insufficient_funds"), ("101", "USDC", other.address, "insufficient_funds"),
                ("1", "USDT", other.address, "asset_not_supported"),
                ("1", "SUI", "0x0123456789abcdef0123456789abcdef", "bad_checksum"),
            ] {
                let answer = try await world.offer(amount, asset, to: to, by: one)
                #expect(answer.status == 422 && answer.json["code"] == .string(code), "\(code): \(answer.json)")
            }
            let first = try await world.pay("1.5", "SUI", to: other.address, by: one)
            #expect(first.unsigned.inputs.count == 2)
            let second = try await world.build("0.5", "SUI", to: other.address, by: one)
            #expect(Set(first.unsigned.inputs).isDisjoint(with: second.unsigned.inputs))
            let third = try await world.offer("0.5", "SUI", to: other.address, by: one)
            #expect(third.json["code"] == "insufficient_funds")
            let path = "/v1/defi/intents/\(first.id.wire)/replace"
            let answer = try await world.ask("POST", path, by: one, ["action": "cancel"])
            #expect(answer.status == 422 && answer.json["code"] == "not_replaceable", "\(answer.json)")
        }
    }

    @Test func `a payment whose epoch is over, or whose coin went elsewhere, is over`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.build("1", "SUI", to: other.address, by: one)
            let late = try await world.build("0.5", "SUI", to: other.address, by: one)
            try await dev.fault(.drop, on: "executeTransaction", count: 100)
            #expect(try await world.submit(payment, by: one).status == 202)
            for _ in 0..<2 { try await dev.nextEpoch() }
            try await world.follow()
            #expect(try await world.now(payment).state == .signed)
            try await dev.fault(.drop, on: "executeTransaction", count: 0)
            try await world.sendDue()
            try await dev.checkpoint()
            try await world.follow()
            #expect(try await world.now(payment).state == .replaced)
            let answer = try await world.submit(late, by: one)
            #expect(answer.status == 409 && answer.json["code"] == "intent_not_open", "\(answer.json)")
        }
        try await world { world, dev, one, other in
            let payment = try await world.build("2.5", "SUI", to: other.address, by: one)
            try await dev.fault(.drop, on: "executeTransaction")
            #expect(try await world.submit(payment, by: one).status == 202)
            // The wallet pays elsewhere with the same coin, past us.
            let built = try #require(SuiChain.built(payment.unsigned))
            let elsewhere = SuiPayment(
                7,
                from: built.sender,
                to: built.recipient,
                gas: SuiPayment.Gas(payment: [built.gas.payment[0]], price: 1_000, budget: 10_000_000),
                lastEpoch: 5
            )
            let bytes = try #require(elsewhere).bytes
            let signed = try one.signer.sign(transaction: Base64.encode(bytes))
            let other = try SignedSuiPayment(
                try SuiPayment(bytes),
                signature: try #require(signed.signature.flatMap { Base64.decode($0) })
            )
            #expect(
                await world.chain.send(SignedTransaction(raw: other.bytes, hash: other.payment.digest)) == .accepted
            )
            try await dev.checkpoint(2)
            try await world.follow()
            let over = try await world.now(payment)
            #expect(over.state == .replaced)
            #expect(over.reason == "inputs_spent")
        }
    }

    @Test func `what an epoch has ended is free at once, though the node is ahead of what is followed`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.build("2.5", "SUI", to: other.address, by: one)
            try await dev.fault(.drop, on: "executeTransaction", count: 100)
            #expect(try await world.submit(payment, by: one).status == 202)
            for _ in 0..<2 { try await dev.nextEpoch() }
            try await world.follow()
            try await dev.fault(.drop, on: "executeTransaction", count: 0)
            try await dev.checkpoint(3)
            try await world.sendDue()
            #expect(try await world.now(payment).state.name == "displaced")
            try await world.follow()
            let over = try await world.now(payment)
            #expect(over.state == .replaced && over.reason == "too_late")
            let again = try await world.build("2.5", "SUI", to: other.address, by: one)
            #expect(Set(again.unsigned.inputs) == Set(payment.unsigned.inputs))
        }
    }

    @Test(arguments: [DevChain.Fault.lost, .drop, .error, .garbage])
    func `whatever happens to sending, it is executed once`(_ fault: DevChain.Fault) async throws {
        try await world { world, dev, one, other in
            let payment = try await world.build("1", "SUI", to: other.address, by: one)
            try await dev.fault(fault, on: "executeTransaction")
            #expect(try await world.submit(payment, by: one).status == 202)
            // As another process that finds it signed, whether or not the node has it.
            let next = try await world.restarted()
            try await next.sendDue()
            #expect(try await next.now(payment).state == .broadcast)
            try await dev.checkpoint(2)
            try await next.follow()
            #expect(try await next.now(payment).state.name == "final")
            #expect(try await next.booked(.sui, of: other) == 1_000_000_000)
        }
    }

    @Test func `an answer that is none is not believed, and the next step goes on`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.pay("1", "SUI", to: other.address, by: one)
            try await dev.checkpoint(2)
            for field in ["chainIdentifier", "transactions", "totalBalance"] {
                try await dev.fault(.garbage, on: field)
                await #expect(throws: NodeError.self, "\(field)") { try await world.follow() }
            }
            for field in ["chainIdentifier", "objects"] {
                try await dev.fault(.garbage, on: field)
                let answer = try await world.offer("1", "SUI", to: other.address, by: one)
                #expect(answer.status == 503 && answer.json["code"] == "chain_unavailable", "\(field): \(answer.json)")
            }
            try await world.follow()
            #expect(try await world.now(payment).state.name == "final")
        }
    }

    @Test func `nodes of different chains hold everything`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.pay("1", "SUI", to: other.address, by: one)
            try await dev.checkpoint(2)
            try await SuiDev.with { second in
                try await second.checkpoint(10)
                let both = try await world.restarted(try dev.followed(second))
                await #expect(throws: NodeError.self) { try await both.follow() }
                let signed = try #require(try await both.now(payment).signed)
                #expect(try await both.chain.status(of: signed.hash) == .pending)
            }
        }
    }

    @Test(arguments: [
        ("0x2::sui::SUI", "0x0000000000000000000000000000000000000000000000000000000000000002::sui::SUI"),
        (
            "0xDBA34672e30cb065b1f93e3ab55318768fd6fef66c15942c9f7cb846e2f900e7::usdc::USDC",
            "0xdba34672e30cb065b1f93e3ab55318768fd6fef66c15942c9f7cb846e2f900e7::usdc::USDC"
        ),
        ("0x2::sui", nil), ("2::sui::SUI", nil), ("0x2::sui::SUI<0x2::a::B>", nil), ("0x2::su\"i::SUI", nil),
        ("0x::a::b", nil),
    ])
    func `a type of coin has one spelling`(_ type: String, _ full: String?) { #expect(SuiChain.full(type) == full) }
}

import Cryptography
import Kernel
import PostgreSQL
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// Payments on a real local Solana: built, signed outside, sent, followed.
@Suite struct SolanaPaymentTests {
    /// Runs `body` with somebody who has 5 SOL and 100 USDC, and knows somebody else who has 1 SOL.
    private func world(
        _ body:
            @Sendable (PaymentWorld, SolanaDev, _ one: PaymentWorld.Person, _ other: PaymentWorld.Person) async throws
            -> Void
    ) async throws {
        try await SolanaDev.with { dev in
            try await PaymentWorld.with(try dev.followed()) { world in
                let (one, other) = (try await world.person(), try await world.person())
                try await world.know(other.address, by: one)
                try await dev.fund(one.address, 5_000_000_000)
                try await dev.mint(100_000_000, to: one.address)
                try await dev.fund(other.address, 1_000_000_000)
                try await dev.finalise()
                try await world.follow()
                try await body(world, dev, one, other)
            }
        }
    }

    @Test func `money comes, goes out, and is final where the cluster says so`() async throws {
        try await world { world, dev, one, other in
            #expect(try await world.booked(.sol, of: one) == 5_000_000_000)
            #expect(try await world.booked(.usdc, of: one) == 100_000_000)
            #expect(try await world.totals(.usdc, of: one) == WalletFlow(received: 100_000_000))
            let payment = try await world.pay("1.5", "SOL", to: other.address, by: one)
            #expect(payment.state == .broadcast)
            #expect(try await dev.lamports(other.address) == 2_500_000_000)
            // Confirmed isn't final: nothing is booked yet.
            try await dev.warp(5)
            try await world.follow()
            #expect(try await world.now(payment).state == .broadcast)
            #expect(try await world.booked(.sol, of: one) == 5_000_000_000)
            try await dev.finalise()
            try await world.follow()
            let state = try await world.now(payment).state
            #expect(state.name == "final")
            #expect(state.inclusion?.gasCost == payment.unsigned.fee)
            #expect(try await world.fees() == payment.unsigned.fee)
            let left = 3_500_000_000 - payment.unsigned.fee
            #expect(try await world.booked(.sol, of: one) == left)
            #expect(try await dev.lamports(one.address) == left)
            #expect(try await world.booked(.sol, of: other) == 2_500_000_000)
            #expect(try await world.totals(.sol, of: one).sent == 1_500_000_000 + payment.unsigned.fee)
        }
    }

    @Test func `a token goes to somebody who has no account for it, whose place the payer pays`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.pay("25", "USDC", to: other.address, by: one)
            let rent = try #require(payment.draft.summary["new_token_account"]?.stringValue)
            #expect(rent == "0.00203928")
            try await dev.finalise()
            try await world.follow()
            let state = try await world.now(payment).state
            #expect(state.name == "final")
            #expect(try await world.booked(.usdc, of: one) == 75_000_000)
            #expect(try await world.booked(.usdc, of: other) == 25_000_000)
            #expect(try await world.booked(.sol, of: one) == 5_000_000_000 - payment.unsigned.feeMax)
            #expect(try await world.fees() == payment.unsigned.fee - 2_039_280)
            // The next one finds the account.
            let again = try await world.build("1", "USDC", to: other.address, by: one)
            #expect(again.draft.summary["new_token_account"] == nil)
        }
    }

    @Test func `what isn't what was built is refused with the reason`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.build("1", "SOL", to: other.address, by: one)
            let built = try #require(Base64.decode(payment.unsigned.text).flatMap { SolanaPayment(unsigned: $0) })
            func changed(
                _ units: UInt64 = 1_000_000_000,
                from payer: SolanaAddress? = nil,
                to recipient: SolanaAddress? = nil,
                token: SolanaPayment.Token? = nil,
                price: UInt64? = nil,
                blockhash: [UInt8]? = nil
            ) throws -> String {
                let price = price ?? built.fee.unitPrice
                let payment = SolanaPayment(
                    units,
                    of: token,
                    from: payer ?? built.payer,
                    to: recipient ?? built.recipient,
                    fee: SolanaPayment.Fee(unitLimit: built.fee.unitLimit, unitPrice: price),
                    blockhash: blockhash ?? built.transaction.blockhash
                )
                return Base64.encode(try #require(payment).transaction.unsignedBytes)
            }
            let stranger = try await world.person()
            let (elsewhere, theirs) = try (
                #require(SolanaAddress(stranger.address)), #require(SolanaAddress(other.address))
            )
            let token = SolanaPayment.Token(mint: dev.mint, decimals: 6)
            let own = try one.signer.sign(transaction: payment.unsigned.text).transaction
            var broken = try #require(Base64.decode(own))
            broken[10] ^= 1
            let wrong: [(String, String)] = try [
                ("other_recipient", one.signer.sign(transaction: changed(to: elsewhere)).transaction),
                ("other_recipient", one.signer.sign(transaction: changed(token: token)).transaction),
                ("other_value", one.signer.sign(transaction: changed(1_000_000_001)).transaction),
                ("other_fee", one.signer.sign(transaction: changed(price: built.fee.unitPrice + 1)).transaction),
                ("other_sender", other.signer.sign(transaction: changed(from: theirs)).transaction),
                (
                    "other_contents",
                    one.signer.sign(transaction: changed(blockhash: [UInt8](repeating: 7, count: 32))).transaction
                ),
                ("bad_signature", stranger.signer.sign(transaction: payment.unsigned.text).transaction),
                ("bad_signature", Base64.encode(broken)),
                ("not_signed", payment.unsigned.text),
                ("malformed_transaction", String(own.dropLast(4))), ("malformed_transaction", "0x0011"),
            ]
            for (code, text) in wrong {
                let answer = try await world.submit((text, nil), for: payment, by: one)
                #expect(answer.status == 422 && answer.json["code"] == .string(code), "\(code): \(answer.json)")
            }
            #expect(try await dev.calls(of: "sendTransaction") == 0)
            #expect(try await world.submit(payment, by: one).status == 202)
            // The same again is no fault.
            #expect(try await world.submit(payment, by: one).status == 202)
            #expect(try await dev.calls(of: "sendTransaction") == 1)
        }
    }

    @Test func `what the wallet can't pay or the chain wouldn't keep isn't built`() async throws {
        try await world { world, dev, one, other in
            let stranger = try await world.person()
            try await world.know(stranger.address, by: one)
            let bitcoin = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
            for (amount, asset, to, code) in [
                ("5", "SOL", other.address, "insufficient_funds"), ("101", "USDC", other.address, "insufficient_funds"),
                // Less than what an account must have would stay.
                ("4.9995", "SOL", other.address, "insufficient_funds"),
                ("0.0001", "SOL", stranger.address, "amount_too_small"),
                ("1", "USDT", other.address, "asset_not_supported"), ("1", "SOL", bitcoin, "bad_checksum"),
                ("99999999999", "SOL", other.address, "amount_out_of_range"),
            ] {
                let answer = try await world.offer(amount, asset, to: to, by: one)
                #expect(answer.status == 422 && answer.json["code"] == .string(code), "\(code): \(answer.json)")
            }
            // What is open already counts.
            _ = try await world.build("3", "SOL", to: other.address, by: one)
            let second = try await world.offer("3", "SOL", to: other.address, by: one)
            #expect(second.json["code"] == "insufficient_funds")
            // Nothing takes a payment's place.
            let sent = try await world.pay("1", "SOL", to: other.address, by: one)
            let path = "/v1/defi/intents/\(sent.id.wire)/replace"
            let answer = try await world.ask("POST", path, by: one, ["action": "speed_up"])
            #expect(answer.status == 422 && answer.json["code"] == "not_replaceable", "\(answer.json)")
        }
    }

    @Test func `a payment that no block took while its blockhash counted is over`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.build("1", "SOL", to: other.address, by: one)
            let late = try await world.build("1", "SOL", to: other.address, by: one)
            try await dev.fault(.drop, on: "sendTransaction", count: 100)
            #expect(try await world.submit(payment, by: one).status == 202)
            // As long as a block could have it, it isn't over.
            try await dev.warp(100)
            try await world.follow()
            #expect(try await world.now(payment).state == .signed)
            try await dev.warp(150)
            try await world.follow()
            try await dev.warp(2)
            try await world.follow()
            let over = try await world.now(payment)
            #expect(over.state == .replaced)
            #expect(over.reason == "too_late")
            #expect(try await world.booked(.sol, of: one) == 5_000_000_000)
            let answer = try await world.submit(late, by: one)
            #expect(answer.status == 409 && answer.json["code"] == "intent_not_open", "\(answer.json)")
            // What it held is free.
            #expect(try await world.offer("3.5", "SOL", to: other.address, by: one).status == 201)
        }
    }

    @Test(arguments: [DevChain.Fault.lost, .drop, .error, .late, .garbage])
    func `whatever happens to sending, it is sent once`(_ fault: DevChain.Fault) async throws {
        try await world { world, dev, one, other in
            let payment = try await world.build("1", "SOL", to: other.address, by: one)
            try await dev.fault(fault, on: "sendTransaction")
            #expect(try await world.submit(payment, by: one).status == 202)
            try await world.sendDue()
            #expect(try await world.now(payment).state == .broadcast)
            try await dev.finalise()
            try await world.follow()
            #expect(try await world.now(payment).state.name == "final")
            #expect(try await dev.lamports(other.address) == 2_000_000_000)
        }
    }

    @Test func `a process that ends between sending and storing has lost nothing`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.build("1", "SOL", to: other.address, by: one)
            // The last that it did: what is stored is that it was signed, and the node has it.
            try await dev.fault(.drop, on: "sendTransaction")
            #expect(try await world.submit(payment, by: one).status == 202)
            let signed = try #require(try await world.now(payment).signed)
            #expect(await world.chain.send(signed) == .accepted)
            #expect(try await world.now(payment).state == .signed)
            let next = try await world.restarted()
            try await next.sendDue()
            // "Already processed" is success.
            #expect(try await next.now(payment).state == .broadcast)
            try await dev.finalise()
            try await next.follow()
            #expect(try await next.now(payment).state.name == "final")
            #expect(try await dev.lamports(other.address) == 2_000_000_000)
            #expect(try await next.booked(.sol, of: one) == 4_000_000_000 - payment.unsigned.fee)
        }
    }

    @Test func `a fork that loses a payment is no end: the same bytes are sent again`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.pay("1", "SOL", to: other.address, by: one)
            try await dev.warp(2)
            try await dev.fork(3, keeping: false)
            #expect(try await dev.lamports(other.address) == 1_000_000_000)
            try await dev.warp(1)
            try await world.follow()
            #expect(try await world.now(payment).state == .dropped)
            try await world.sendDue()
            #expect(try await world.now(payment).state == .broadcast)
            try await dev.finalise()
            try await world.follow()
            #expect(try await world.now(payment).state.name == "final")
            #expect(try await dev.lamports(other.address) == 2_000_000_000)
        }
    }

    @Test func `an answer that is none is not believed, and the next step goes on`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.pay("1", "SOL", to: other.address, by: one)
            try await dev.finalise()
            for method in ["getGenesisHash", "getSlot", "getBlock", "getBlocksWithLimit", "getBalance"] {
                try await dev.fault(.garbage, on: method)
                await #expect(throws: NodeError.self, "\(method)") { try await world.follow() }
            }
            for method in ["getLatestBlockhash", "getMultipleAccounts", "getRecentPrioritizationFees"] {
                try await dev.fault(.garbage, on: method)
                let answer = try await world.offer("1", "SOL", to: other.address, by: one)
                #expect(answer.status == 503 && answer.json["code"] == "chain_unavailable", "\(method): \(answer.json)")
            }
            try await world.follow()
            #expect(try await world.now(payment).state.name == "final")
        }
    }

    @Test func `a block whose time no node says has that of the block before it`() async throws {
        try await world { world, dev, one, other in
            func times() async throws -> [(number: Int64, at: Timestamp)] {
                try await world.pool.query("select number, mined_at from defi.chain_blocks order by number")
                    .map { (try $0["number"], try $0["mined_at"]) }
            }
            let known = try #require(try await times().last)
            let payment = try await world.pay("1", "SOL", to: other.address, by: one)
            try await dev.lie("getBlock", "\"blockTime\": ", "\"blockTime\": null, \"was\": ")
            try await dev.finalise()
            try await world.follow()
            #expect(try await world.now(payment).state.name == "final")
            let untold = try await times().filter { $0.number > known.number }
            #expect(!untold.isEmpty && untold.allSatisfy { $0.at == known.at }, "\(untold)")
            let head: Timestamp = try await world.pool.query("select head_at from defi.chains")[0][0]
            #expect(head == known.at)
            // What one of two nodes says counts.
            try await dev.second.lie("getBlock", "\"blockTime\": ", "\"blockTime\": 1713571767, \"was\": ")
            let both = try await world.restarted(try dev.followed(dev.second))
            try await dev.warp(1)
            try await both.follow()
            let told = try #require(try await times().last)
            #expect(told.number > untold[untold.count - 1].number && told.at.seconds == 1_713_571_767)
        }
    }

    @Test func `the first block that is followed counts as of now where its time isn't said`() async throws {
        try await SolanaDev.with { dev in
            try await dev.lie("getBlock", "\"blockTime\": ", "\"blockTime\": null, \"was\": ")
            let before = SystemClock().now()
            try await PaymentWorld.with(try dev.followed()) { world in
                let at: Timestamp = try await world.pool.query("select head_at from defi.chains")[0][0]
                #expect(at >= before.adding(seconds: -1) && at <= SystemClock().now().adding(seconds: 1))
            }
        }
    }

    @Test func `a block goes without the wallets that can't be read, which are read anew`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.pay("1", "SOL", to: other.address, by: one)
            try await dev.finalise()
            try await dev.fault(.error, on: "getBalance")
            await #expect(throws: NodeError.self) { try await world.follow() }
            #expect(try await world.now(payment).state.name == "included")
            try await world.follow()
            #expect(try await world.now(payment).state.name == "final")
            #expect(try await world.booked(.sol, of: other) == 2_000_000_000)
            #expect(try await world.totals(.sol, of: other).received == 2_000_000_000)
        }
    }

    @Test func `nodes that follow different chains hold everything`() async throws {
        try await world { world, dev, one, other in
            let payment = try await world.pay("1", "SOL", to: other.address, by: one)
            try await dev.finalise()
            try await SolanaDev.with { second in
                try await second.warp(200)
                let both = try await world.restarted(try dev.followed(second))
                await #expect(throws: NodeError.self) { try await both.follow() }
                #expect(try await both.now(payment).state == .broadcast)
                let signed = try #require(try await both.now(payment).signed)
                #expect(try await both.chain.status(of: signed.hash) == .pending)
            }
            let again = try await world.restarted()
            try await again.follow()
            #expect(try await again.now(payment).state.name == "final")
        }
    }
}

import Cryptography
import Kernel
import Randomness
import Testing
import WalletCrypto

/// Payments of Solana and Sui: what changed ones are read as, and where their bounds are.
@Suite struct PaymentTests {
    private static let rounds = 10

    private func raws(_ kind: String, _ field: String) throws -> [(bytes: [UInt8], vector: JSON)] {
        try Vectors.all(kind).filter { $0["expected"]?["valid"] == true }.compactMap { vector in
            guard let bytes = Hex.decode(try vector["input"]?.text(field) ?? "") else { return nil }
            return (bytes, vector)
        }
    }

    @Test func `a signed transaction of Solana that was changed is refused`() throws {
        var random = SeededRandom(31)
        for (bytes, _) in try raws("sol_transaction", "raw") {
            let known = try SignedSolanaTransaction(bytes)
            #expect(known.bytes == bytes)
            for _ in 0..<Self.rounds {
                let changed = random.mutated(bytes)
                if changed != bytes {
                    #expect(throws: SignedSolanaTransaction.Fault.self) {
                        _ = try SignedSolanaTransaction(changed)
                    }
                }
            }
        }
    }

    @Test func `each prefix of a transaction is refused`() throws {
        let (solana, _) = try #require(try raws("sol_transaction", "raw").first)
        for count in solana.indices {
            #expect(throws: SignedSolanaTransaction.Fault.self) {
                _ = try SignedSolanaTransaction(Array(solana[..<count]))
            }
        }
        let (sui, _) = try #require(try raws("sui_transaction", "bytes").first)
        for count in sui.indices {
            #expect(throws: SuiPayment.Fault.self) { _ = try SuiPayment(Array(sui[..<count])) }
        }
    }

    @Test func `a payment of Sui that was changed is refused, or is another one that its signature isn't for`() throws {
        var random = SeededRandom(37)
        for (bytes, vector) in try raws("sui_transaction", "bytes") {
            let known = try SuiPayment(bytes)
            let signature = try #require(Base64.decode(try vector["input"]?.text("signature") ?? ""))
            let signed = try SignedSuiPayment(known, signature: signature)
            #expect(try SignedSuiPayment(signed.bytes) == signed)
            for _ in 0..<Self.rounds {
                let changed = random.mutated(bytes)
                if changed != bytes, let read = try? SuiPayment(changed) {
                    #expect(read.bytes == changed && read.digest != known.digest)
                    #expect(throws: SignedSuiPayment.Fault.self) {
                        _ = try SignedSuiPayment(read, signature: signature)
                    }
                }
                let other = random.mutated(signature)
                if other != signature {
                    #expect(throws: SignedSuiPayment.Fault.self) {
                        _ = try SignedSuiPayment(known, signature: other)
                    }
                }
                let whole = random.mutated(signed.bytes)
                if whole != signed.bytes {
                    #expect(throws: SignedSuiPayment.Fault.self) { _ = try SignedSuiPayment(whole) }
                }
            }
        }
    }

    @Test func `what is random is no transaction`() {
        var random = SeededRandom(41)
        for _ in 0..<400 {
            let bytes = random.bytes(Int.random(in: 0...1_300, using: &random))
            #expect(throws: SignedSolanaTransaction.Fault.self) { _ = try SignedSolanaTransaction([1] + bytes) }
            #expect(throws: SuiPayment.Fault.self) { _ = try SuiPayment([0, 0] + bytes) }
            #expect(throws: SignedSuiPayment.Fault.self) { _ = try SignedSuiPayment(bytes) }
        }
    }

    @Test func `an offer beyond the numbers' range is none`() {
        #expect(SolanaPayment.Fee(unitLimit: 1_400_000, unitPrice: .max).lamports == nil)
        #expect(SolanaPayment.Fee(unitLimit: 1, unitPrice: .max - 1_000_001).lamports != nil)
        #expect(SolanaPayment.Fee(unitLimit: 3, unitPrice: 400_000).lamports == 5_002)
    }

    @Test func `no amount, no gas and a coin twice make no payment`() throws {
        let (bytes, _) = try #require(
            try raws("sui_transaction", "bytes").first { bytes, _ in
                (try? SuiPayment(bytes))?.coins.count == 3
            }
        )
        let known = try SuiPayment(bytes)
        func made(
            _ units: UInt64 = 1,
            _ coins: [SuiObjectReference]? = nil,
            gas: [SuiObjectReference]? = nil,
            budget: UInt64 = 1
        ) -> SuiPayment? {
            SuiPayment(
                units,
                of: coins ?? known.coins,
                from: known.sender,
                to: known.recipient,
                gas: SuiPayment.Gas(payment: gas ?? known.gas.payment, price: 1, budget: budget),
                lastEpoch: 1
            )
        }
        #expect(made() != nil)
        #expect(made(0) == nil)
        #expect(made(budget: 0) == nil)
        #expect(made(gas: []) == nil)
        #expect(made(gas: known.coins) == nil)
        #expect(made(1, [known.coins[0], known.coins[0]]) == nil)
    }
}

import Cryptography
import Kernel
import WalletCrypto

extension BitcoinChain {
    /// Signals that another transaction may take its place (BIP-125).
    static let sequence: UInt32 = 0xFFFF_FFFD
    /// What a replacement offers at least above the one that waits, in satoshi for 1,000 virtual bytes.
    static let rateStep: Int64 = 1_000

    func build(_ order: PaymentOrder) async throws -> UnsignedPayment {
        try await build(order, from: try await spendable(order))
    }

    /// All outputs are looked through for the account's, which takes minutes on the main network.
    func build(
        ofHouse order: PaymentOrder,
        besides used: @Sendable ([String]) async throws -> Set<String>
    ) async throws -> UnsignedPayment {
        let (block, found) = try await scan([order.wallet.address])
        let final = found.filter { height, coin in
            height <= block.number + 1 - (coin.isMinted ? Coins.maturityBlocks : confirmations)
        }
        let taken = try await used(final.map(\.1.item))
        let free = final.map(\.1).filter { !taken.contains($0.item) }
            .sorted { ($0.amount, $1.item) > ($1.amount, $0.item) }.prefix(Coins.chosenFromMax)
        let coins = free.map { CoinSelection.Coin(item: $0.item, amount: Int64(clamping: $0.amount)) }
        return try await build(order, from: coins)
    }

    private func build(_ order: PaymentOrder, from spendable: [CoinSelection.Coin]) async throws -> UnsignedPayment {
        let rate = try await feeRate(order.speed)
        let payer = try payer(order)
        let recipient = try recipient(order)
        let amount = try satoshi(order.amount, to: recipient)
        let terms = payer.terms(paying: [recipient], rate: rate)
        guard let selection = CoinSelection(amount, from: spendable, terms) else {
            throw Self.insufficient(order, spendable, terms)
        }
        return try await payment(selection, paying: (recipient, amount), change: payer, rate)
    }

    func replacement(
        of payment: UnsignedPayment,
        for order: PaymentOrder,
        cancelling: Bool
    ) async throws -> UnsignedPayment {
        guard let built = try? PSBT(base64: payment.text), let spent = built.spent else {
            preconditionFailure("a payment that wasn't built here")
        }
        let (payer, old) = (try payer(order), Int64(clamping: payment.fee))
        // Dearer by size, too, which nodes want beside what BIP-125 has.
        let size = payer.virtualSize(of: built.transaction)
        let rate = max(try await feeRate(order.speed), (old * 1_000 + size - 1) / size + Self.rateStep)
        guard rate <= feeRateMax else { throw Self.tooExpensive(rate, feeRateMax) }
        let recipient = cancelling ? payer.script : try recipient(order)
        let amount = cancelling ? 0 : try satoshi(order.amount, to: recipient)
        let required = zip(payment.inputs, spent).map { CoinSelection.Coin(item: $0, amount: $1.amount) }
        var terms = payer.terms(paying: cancelling ? [] : [recipient], rate: rate)
        terms.replacedFee = old
        let more = cancelling ? [] : try await spendable(order)
        guard let selection = CoinSelection(amount, from: more, required: required, terms) else {
            throw Self.insufficient(order, required + more, terms)
        }
        guard cancelling else {
            return try await self.payment(selection, paying: (recipient, amount), change: payer, rate)
        }
        guard let back = selection.change else {
            throw Problem(422, "not_replaceable", "Nothing would come back: the fee takes all of it.")
        }
        let returned = CoinSelection(selection.coins, fee: selection.fee)
        return try await self.payment(returned, paying: (payer.script, back), change: payer, rate)
    }

    /// Satoshi for 1,000 virtual bytes.
    ///
    /// - Throws: 422 `fee_too_high`; 503.
    func feeRate(_ speed: GasPrice.Speed) async throws(Problem) -> Int64 {
        let rate: Int64
        do throws(NodeError) {
            rate = try await first.feeRate(blocks: speed.blocks)
        } catch {
            throw ChainProblem.unavailable(error)
        }
        guard rate <= feeRateMax else { throw Self.tooExpensive(rate, feeRateMax) }
        return rate
    }

    // MARK: Parts

    private func payer(_ order: PaymentOrder) throws(Problem) -> BitcoinPayer {
        guard let address = BitcoinAddress(order.wallet.address, network: network.bitcoin),
            let payer = BitcoinPayer(address.script)
        else {
            throw Problem(422, "wallet_not_supported", "Payments from wallets of this kind aren't built here.")
        }
        return payer
    }

    private func recipient(_ order: PaymentOrder) throws(Problem) -> BitcoinScript {
        guard let address = BitcoinAddress(order.recipient, network: network.bitcoin) else {
            throw Problem(422, "bad_checksum", "The address can't be read. Copy it again.")
        }
        return address.script
    }

    private func satoshi(_ amount: Money, to script: BitcoinScript) throws(Problem) -> Int64 {
        guard let satoshi = Int64(exactly: amount.minorUnits), satoshi <= BitcoinTransaction.satoshiMax else {
            throw Problem(422, "amount_out_of_range", "The amount is out of range.")
        }
        let least = script.dust
        guard satoshi >= least else {
            let money = Money(minorUnits: Int128(least), .btc)
            throw Problem(422, "amount_too_small", "Nodes refuse less than \(money) to this address.")
        }
        return satoshi
    }

    private func spendable(_ order: PaymentOrder) async throws -> [CoinSelection.Coin] {
        guard let found = try await coins.spendable(of: order.wallet.address, besides: order.held.inputs) else {
            throw Problem(
                503,
                "wallet_not_read",
                "What the wallet has is being read from the chain. Try again in a moment.",
                retryAfterSeconds: 10
            )
        }
        return found
    }

    private func payment(
        _ selection: CoinSelection,
        paying paid: (script: BitcoinScript, amount: Int64),
        change payer: BitcoinPayer,
        _ rate: Int64
    ) async throws -> UnsignedPayment {
        var inputs: [BitcoinTransaction.Input] = []
        for coin in selection.coins {
            guard let (id, index) = BitcoinText.outpoint(coin.item), let bytes = Hex.decode(id) else {
                preconditionFailure("a coin without a name")
            }
            inputs.append(.init(previousID: bytes.reversed(), previousIndex: UInt32(index), sequence: Self.sequence))
        }
        var outputs = [BitcoinTransaction.Output(amount: paid.amount, script: paid.script.bytes)]
        if let change = selection.change { outputs.append(.init(amount: change, script: payer.script.bytes)) }
        let spent = try await spent(selection.coins, inputs, payer)
        let transaction = BitcoinTransaction(inputs: inputs, outputs: outputs)
        guard let text = PSBT(signing: transaction, spending: spent)?.base64 else {
            throw Problem(422, "would_fail", "The wallet's coins are too small for one payment. Send less.")
        }
        let fee = Int128(selection.fee)
        let change = selection.change.map { JSON.string(Money(minorUnits: Int128($0), .btc).wire) } ?? .null
        return UnsignedPayment(
            text: text,
            inputs: selection.coins.map(\.item),
            fee: fee,
            feeMax: fee,
            summary: [
                .init("coins", .array(selection.coins.map { .string($0.item) })), .init("change", change),
                .init("satoshi_per_kilobyte", .string(String(rate))),
            ]
        )
    }

    /// The coins as signers want them: whole transactions where the amount isn't signed.
    private func spent(
        _ coins: [CoinSelection.Coin],
        _ inputs: [BitcoinTransaction.Input],
        _ payer: BitcoinPayer
    ) async throws(Problem) -> [PSBT.Spent] {
        let outputs = coins.map { BitcoinTransaction.Output(amount: $0.amount, script: payer.script.bytes) }
        guard payer.needsPrevious else { return outputs.map { PSBT.Spent(output: $0) } }
        let found: [[UInt8]?]
        do throws(NodeError) {
            found = try await first.transactions(inputs.map { $0.previousID.reversed() })
        } catch {
            throw ChainProblem.unavailable(error)
        }
        var spent: [PSBT.Spent] = []
        for (place, output) in outputs.enumerated() {
            let (index, id) = (Int(inputs[place].previousIndex), inputs[place].previousID)
            guard let bytes = found[place], let previous = BitcoinTransaction(bytes), previous.id == id,
                index < previous.outputs.count, previous.outputs[index] == output
            else { throw ChainProblem.unavailable(.malformed("the transaction of a coin")) }
            spent.append(PSBT.Spent(output: output, previous: bytes))
        }
        return spent
    }

    private static func insufficient(
        _ order: PaymentOrder,
        _ coins: [CoinSelection.Coin],
        _ terms: CoinSelection.Terms
    ) -> Problem {
        let free = Money(minorUnits: coins.reduce(0) { $0 + Int128($1.amount) }, .btc)
        let fee = Money(minorUnits: Int128(terms.fee(inputs: 1, hasChange: false)), .btc)
        return Problem(
            422,
            "insufficient_funds",
            "\(order.amount) and a fee of \(fee) or more are needed, and \(free) is free in the wallet."
        )
    }

    private static func tooExpensive(_ rate: Int64, _ ceiling: Int64) -> Problem {
        Problem(
            422,
            "fee_too_high",
            "The network asks for \(rate / 1_000) satoshi a byte, and \(ceiling / 1_000) is the most. Try later."
        )
    }
}

extension GasPrice.Speed {
    /// In how many blocks of Bitcoin.
    fileprivate var blocks: Int {
        switch self {
        case .slow: 24
        case .normal: 6
        case .fast: 2
        }
    }
}

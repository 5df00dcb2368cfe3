import Cryptography
import Kernel
import WalletCrypto

extension SolanaChain {
    /// Of `UnsignedPayment.details`: the last block, without those that were skipped, that may have it.
    static let lastHeight = "last_valid_block_height"

    /// A blockhash counts for 150 blocks of 0.4 s: so long may signing take.
    private static let lifetimeSeconds: Int64 = 60
    /// The most that is offered: 0.005 SOL.
    private static let feeMax: UInt64 = 5_000_000
    // What such calls take, with room: 450 units for a coin's; for a token's about 30,000, more where its new account
    // is hard to derive.
    private static let (coinUnits, tokenUnits): (UInt32, UInt32) = (1_000, 90_000)
    private static let tokenAccountBytes = 165

    /// What a payment finds on the chain.
    private struct Ground {
        let payer: SolanaNode.Account
        let recipient: SolanaNode.Account?
        /// The payer's account for the token, and whether the recipient has one.
        let source: SolanaNode.Account?
        let hasDestination: Bool
        /// The least that an account must have, and what one for a token has.
        let rent: Int128
        let tokenRent: Int128
    }

    func build(_ order: PaymentOrder) async throws -> UnsignedPayment {
        guard let payer = SolanaAddress(order.wallet.address), let recipient = SolanaAddress(order.recipient),
            let units = UInt64(exactly: order.amount.minorUnits), units > 0
        else { throw Problem(422, "amount_out_of_range", "The amount is out of range.") }
        let mint = tokens.first { $0.asset == order.amount.asset }?.mint
        let fee = try await asked { () async throws(NodeError) in try await self.fee(order, payer, recipient, mint) }
        guard let lamports = fee.lamports, lamports <= Self.feeMax else {
            throw Problem(422, "fee_too_high", "The network asks for more than 0.005 SOL now. Try later.")
        }
        let ground = try await asked { () async throws(NodeError) in try await self.ground(payer, recipient, mint) }
        let rent = mint != nil && !ground.hasDestination ? ground.tokenRent : 0
        try Self.check(order, ground, cost: Int128(lamports) + rent)
        let latest = try await asked { () async throws(NodeError) in try await first.latestBlockhash() }
        let payment = SolanaPayment(
            units,
            of: mint.map { SolanaPayment.Token(mint: $0, decimals: UInt8(order.amount.asset.scale)) },
            from: payer,
            to: recipient,
            fee: fee,
            blockhash: latest.hash
        )
        guard let payment else { throw Problem(422, "amount_out_of_range", "The amount is out of range.") }
        return UnsignedPayment(
            text: Base64.encode(payment.transaction.unsignedBytes),
            fee: Int128(lamports) + rent,
            feeMax: Int128(lamports) + rent,
            // No slot has more than one block: before this one, it isn't over.
            lastBlock: latest.slot + SolanaTransaction.blocksMax,
            lifetimeSeconds: Self.lifetimeSeconds,
            details: [Self.lastHeight: .integer(latest.lastHeight)],
            summary: rent == 0
                ? [] : [.init("new_token_account", .string(Money(minorUnits: rent, .sol).wire))]
        )
    }

    /// A blockhash that is gone is no reason to pay twice: a payment can't be replaced, only waited for.
    func replacement(
        of payment: UnsignedPayment,
        for order: PaymentOrder,
        cancelling: Bool
    ) async throws -> UnsignedPayment {
        throw Problem(
            422,
            "not_replaceable",
            "On Solana nothing takes another payment's place. It is over within about a minute."
        )
    }

    private func fee(
        _ order: PaymentOrder,
        _ payer: SolanaAddress,
        _ recipient: SolanaAddress,
        _ mint: SolanaAddress?
    ) async throws(NodeError) -> SolanaPayment.Fee {
        let prices = try await first.unitPrices(changing: [payer, recipient]).sorted()
        let place = prices.isEmpty ? nil : (prices.count - 1) * order.speed.percentile / 100
        return SolanaPayment.Fee(
            unitLimit: mint == nil ? Self.coinUnits : Self.tokenUnits,
            unitPrice: place.map { prices[$0] } ?? 0
        )
    }

    private func ground(
        _ payer: SolanaAddress,
        _ recipient: SolanaAddress,
        _ mint: SolanaAddress?
    ) async throws(NodeError) -> Ground {
        let own = mint.flatMap { mint in
            SolanaAddress.tokenAccount(owner: payer, mint: mint).flatMap { source in
                SolanaAddress.tokenAccount(owner: recipient, mint: mint).map { [source, $0] }
            }
        }
        let accounts = try await first.accounts(at: [payer, recipient] + (own ?? []))
        return Ground(
            payer: accounts[0] ?? SolanaNode.Account(lamports: 0, units: 0),
            recipient: accounts[1],
            source: own == nil ? nil : accounts[2],
            hasDestination: own != nil && accounts[3] != nil,
            rent: try await first.rent(bytes: 0),
            tokenRent: own == nil ? 0 : try await first.rent(bytes: Self.tokenAccountBytes)
        )
    }

    /// What the wallet has must be enough for it and for what is open already, and leave no account that is neither
    /// empty nor pays for its place.
    private static func check(_ order: PaymentOrder, _ ground: Ground, cost: Int128) throws(Problem) {
        let amount = order.amount.minorUnits
        let isCoin = order.amount.asset == .sol
        if isCoin, (ground.recipient?.lamports ?? 0) + amount < ground.rent {
            let least = Money(minorUnits: ground.rent, .sol)
            throw Problem(422, "amount_too_small", "A new account must get \(least) at least.")
        }
        let held = order.held.amounts[order.amount.asset] ?? 0
        if !isCoin {
            let free = max(0, (ground.source?.units ?? 0) - held)
            guard amount <= free else {
                throw Self.insufficient("\(order.amount) is needed and \(Money(minorUnits: free, order.amount.asset))")
            }
        }
        let coins = max(0, ground.payer.lamports - (order.held.amounts[.sol] ?? 0))
        let left = coins - cost - (isCoin ? amount : 0)
        guard left == 0 || left >= ground.rent else {
            let needed = Money(minorUnits: cost + (isCoin ? amount : 0) + ground.rent, .sol)
            throw Self.insufficient("\(needed) is needed, with what must stay, and \(Money(minorUnits: coins, .sol))")
        }
    }

    private static func insufficient(_ facts: String) -> Problem {
        Problem(422, "insufficient_funds", "\(facts) is free in the wallet. Add money first.")
    }

    private func asked<Answer: Sendable>(
        _ question: () async throws(NodeError) -> Answer
    ) async throws(Problem) -> Answer {
        do throws(NodeError) {
            return try await question()
        } catch {
            throw ChainProblem.unavailable(error)
        }
    }
}

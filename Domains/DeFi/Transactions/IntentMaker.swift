import Kernel
import Ledger
import WalletCrypto

/// Builds unsigned transactions: nonce, gas, and whether they would go through.
struct IntentMaker: Sendable {
    /// A call that is to become a transaction.
    struct Call: Sendable {
        let kind: Intent.Kind
        let to: EthereumAddress
        let value: BigUInt
        let data: [UInt8]
        /// What it needs at most; where it can't be tried before another one, this is what it gets.
        let gasMax: UInt64
        let amount: Money
        var pairAmount: Int128 = 0
        var principal: Int128 = 0
        /// The token that the wallet must have the amount of; nil where none leaves it.
        var token: EthereumAddress?
        /// What it must still give when it is signed; nil where nothing is asked.
        var floor: StrategyFloor?
    }

    /// A plain payment of the chain's own coin (Yellow Paper, G_transaction).
    static let gasOfPayment: UInt64 = 21_000
    /// Of what a call took when tried, so much is allowed: state changes until it is in a block.
    static let gasPercent: UInt64 = 130

    let chain: EthereumChain
    let intents: Intents

    /// Transactions for calls that follow each other, the first of them tried now; `price` is the one for gas, where it
    /// was asked for already.
    ///
    /// - Throws: a `Problem`: 422 `would_revert`, `insufficient_funds`, `gas_too_expensive`; 503.
    func drafts(
        _ calls: [Call],
        from wallet: LinkedWallet,
        strategy: ID<Strategy>? = nil,
        reservation: ID<Reservation>? = nil,
        speed: GasPrice.Speed,
        price known: GasPrice? = nil
    ) async throws -> [Intent.Draft] {
        let price = if let known { known } else { try await chain.gasPrice(speed) }
        let holds = try await intents.holds(of: wallet.address, on: chain.name)
        var nonces = holds
        let outlook = try await outlook(of: wallet.address, calls)
        var next = outlook.nonce
        var drafts: [Intent.Draft] = []
        for (place, call) in calls.enumerated() {
            let gas = place == 0 ? try gas(call, outlook) : call.gasMax
            next = nonces.free(from: next)
            nonces.nonces.insert(next)
            guard let transaction = transaction(call, nonce: next, gas: gas, price) else {
                throw Problem(422, "amount_out_of_range", "The amount is out of range.")
            }
            drafts.append(
                Intent.Draft(
                    wallet: wallet,
                    chain: chain.name,
                    kind: call.kind,
                    strategy: strategy,
                    amount: call.amount,
                    pairAmount: call.pairAmount,
                    principal: call.principal,
                    reservation: call.principal > 0 ? reservation : nil,
                    floor: call.floor,
                    transaction: transaction,
                    summary: try summary(call, transaction, price, wallet)
                )
            )
        }
        let isExit = calls.contains { $0.kind == .exit }
        try checkFunds(drafts, calls, holds.amounts(besidesUnsigned: isExit), outlook)
        return drafts
    }

    /// A transaction that takes another one's nonce: the same again for more gas, or one that does nothing.
    ///
    /// - Throws: as `drafts`.
    func replacement(of intent: Intent, cancelling: Bool, speed: GasPrice.Speed) async throws -> Intent.Draft {
        let price = try await chain.gasPrice(speed).replacing(try await intents.offered(beside: intent))
        guard price.maxFee <= chain.gasCeiling else {
            throw Problem(422, "gas_too_expensive", "To replace it costs more gas than is offered. Try later.")
        }
        let old = intent.transaction
        let wallet = LinkedWallet(id: intent.wallet, user: intent.user, address: intent.address)
        let transaction = EthereumTransaction(
            chainID: old.chainID,
            nonce: old.nonce,
            fee: .dynamic(maxFeePerGas: price.maxFee, maxPriorityFeePerGas: price.tip),
            gasLimit: cancelling ? Self.gasOfPayment : old.gasLimit,
            to: cancelling ? intent.address : old.to,
            value: cancelling ? .zero : old.value,
            data: cancelling ? [] : old.data
        )
        guard let transaction else { throw Problem(422, "amount_out_of_range", "The fee is out of range.") }
        return Intent.Draft(
            wallet: wallet,
            chain: intent.chain,
            kind: cancelling ? .cancel : intent.kind,
            strategy: intent.strategy,
            replaces: intent.replaces ?? intent.id,
            amount: cancelling ? Money.zero(intent.amount.asset) : intent.amount,
            pairAmount: cancelling ? 0 : intent.pairAmount,
            principal: cancelling ? 0 : intent.principal,
            reservation: cancelling ? nil : intent.reservation,
            floor: cancelling ? nil : intent.floor,
            transaction: transaction,
            summary: IntentSummary.json(
                transaction,
                price,
                kind: cancelling ? .cancel : intent.kind,
                from: wallet.address
            )
        )
    }

    private func transaction(
        _ call: Call,
        nonce: UInt64,
        gas: UInt64,
        _ price: GasPrice
    ) -> EthereumTransaction? {
        EthereumTransaction(
            chainID: chain.deployment.chainID,
            nonce: nonce,
            fee: .dynamic(maxFeePerGas: price.maxFee, maxPriorityFeePerGas: price.tip),
            gasLimit: gas,
            to: call.to,
            value: call.value,
            data: call.data
        )
    }

    /// What the node says of the wallet, and of the first call, tried now.
    private func outlook(
        of account: EthereumAddress,
        _ calls: [Call]
    ) async throws(Problem) -> EthereumNode.Outlook {
        let first = calls.first.map { EthereumNode.View(to: $0.to, data: $0.data, from: account) }
        let (value, tokens) = (calls.first?.value ?? .zero, calls.compactMap(\.token))
        do throws(NodeError) {
            return try await chain.nodes.first.outlook(of: account, calling: first, value: value, tokens: tokens)
        } catch {
            throw ChainProblem.unavailable(error)
        }
    }

    private func gas(_ call: Call, _ outlook: EthereumNode.Outlook) throws(Problem) -> UInt64 {
        do throws(NodeError) {
            let tried = try outlook.gas.get()
            return max(Self.gasOfPayment, min(tried * Self.gasPercent / 100, max(call.gasMax, tried)))
        } catch {
            guard case .refused(let code, let message) = error else { throw ChainProblem.unavailable(error) }
            // EIP-1474: 3 is a call that the contract refuses.
            guard code == 3 || message.contains("revert") else { throw Self.refused(message) }
            throw Problem(422, "would_revert", "The contract would refuse it: \(message). Nothing was built.")
        }
    }

    private static func refused(_ message: String) -> Problem {
        message.lowercased().contains("insufficient")
            ? Problem(422, "insufficient_funds", "The wallet can't pay for it. Add money first.")
            : Problem(422, "would_fail", "The chain would refuse it: \(message). Nothing was built.")
    }

    private func summary(
        _ call: Call,
        _ transaction: EthereumTransaction,
        _ price: GasPrice,
        _ wallet: LinkedWallet
    ) throws(Problem) -> JSON {
        if !call.data.isEmpty {
            do throws(KnownCall.Fault) {
                _ = try KnownCall(call.data, from: wallet.address)
            } catch {
                throw SubmissionCheck.Fault.call(error).problem
            }
        }
        return IntentSummary.json(transaction, price, kind: call.kind, from: wallet.address)
    }

    /// What the wallet has must be enough for these and for what is open already.
    private func checkFunds(
        _ drafts: [Intent.Draft],
        _ calls: [Call],
        _ holds: WalletHolds.Amounts,
        _ outlook: EthereumNode.Outlook
    ) throws(Problem) {
        let needed = drafts.reduce(BigUInt(holds.coins)) { $0 + $1.transaction.costMax }
        guard needed <= outlook.coins else {
            throw Problem(
                422,
                "insufficient_funds",
                "\(needed) wei are needed for it and for what is open, and the wallet has \(outlook.coins)."
            )
        }
        let leaving = calls.filter { $0.token != nil }
        for (call, units) in zip(leaving, outlook.tokens) {
            let balance = Int128(clamping: units)
            let held = holds.tokens[call.amount.asset.code] ?? 0
            let asked = call.amount.minorUnits
            guard held + asked <= balance else {
                let free = Money(minorUnits: max(0, balance - held), call.amount.asset)
                throw Problem(
                    422,
                    "insufficient_funds",
                    "\(call.amount) is needed and \(free) is free in the wallet. Add money first."
                )
            }
        }
    }
}

extension EthereumNode.View {
    /// `balanceOf(address)` (ERC-20).
    static func balance(of account: EthereumAddress, in token: EthereumAddress) -> EthereumNode.View {
        let data: [UInt8] = [0x70, 0xa0, 0x82, 0x31] + [UInt8](repeating: 0, count: 12) + account.bytes
        return EthereumNode.View(to: token, data: data)
    }
}

extension Int128 {
    /// The number, or the largest that fits.
    init(clamping number: BigUInt) { self = number.int128 ?? .max }
}

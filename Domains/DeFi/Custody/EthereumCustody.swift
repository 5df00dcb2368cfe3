import Kernel
import WalletCrypto

/// Custody on a chain that follows Ethereum's rules: its coin, and the tokens that its deployment names.
struct EthereumCustody: CustodyChain {
    let chain: EthereumChain
    let custodian: any Custodian<EthereumTransaction, SignedEthereumTransaction, EthereumAddress>
    let withdrawals: CustodyWithdrawals

    /// Nil where the deployment names no account.
    ///
    /// - Throws: `CustodianFault` where nobody signs for it: the custodian of a chain of one's own is its node, another
    ///   one would be another `Custodian`.
    init?(_ chain: EthereumChain, _ withdrawals: CustodyWithdrawals) throws(CustodianFault) {
        guard let account = chain.deployment.custody else { return nil }
        guard chain.deployment.chainID == ChainFollower.localChainID else {
            throw CustodianFault(chain: chain.name, account: account.description)
        }
        custodian = NodeCustodian(account: account, node: chain.nodes.first)
        (self.chain, self.withdrawals) = (chain, withdrawals)
    }

    /// Where deposits go.
    var address: EthereumAddress { custodian.account }

    var name: String { chain.name }
    var coin: Asset { EthereumChain.gasAsset }
    var account: String { address.description }
    var confirmations: Int64 { chain.confirmations }

    func has(_ asset: Asset) -> Bool { asset == EthereumChain.gasAsset || chain.deployment.token(asset) != nil }

    func address(_ text: String) -> String? { EthereumAddress(text)?.description }

    // MARK: Paying

    func signed(_ withdrawal: CustodyWithdrawal) async throws -> CustodyWithdrawal.Signed {
        CustodyWithdrawal.Signed(try await custodian.sign(try await transaction(for: withdrawal)))
    }

    private func transaction(for withdrawal: CustodyWithdrawal) async throws -> EthereumTransaction {
        let (to, value, data) = try payout(withdrawal)
        let view = EthereumNode.View(to: to, data: data, from: address)
        let gas = try await chain.nodes.first.gas(for: view, value: value)
        let price = try await chain.gasPrice(.fast)
        let used = try await chain.nodes.nonce(of: address)
        let next = try await withdrawals.nextNonce(on: name) ?? 0
        let transaction = EthereumTransaction(
            chainID: chain.deployment.chainID,
            nonce: max(used, next),
            fee: .dynamic(maxFeePerGas: price.maxFee, maxPriorityFeePerGas: price.tip),
            gasLimit: max(IntentMaker.gasOfPayment, gas * IntentMaker.gasPercent / 100),
            to: to,
            value: value,
            data: data
        )
        guard let transaction else { throw NodeError.malformed("a payout out of range") }
        return transaction
    }

    private func payout(
        _ withdrawal: CustodyWithdrawal
    ) throws -> (to: EthereumAddress, value: BigUInt, data: [UInt8]) {
        guard let recipient = EthereumAddress(withdrawal.recipient) else {
            throw CustodyWithdrawals.Unreadable(id: withdrawal.id.value)
        }
        let units = BigUInt(withdrawal.amount.minorUnits)
        if withdrawal.amount.asset == coin { return (recipient, units, []) }
        guard let token = chain.deployment.token(withdrawal.amount.asset) else {
            throw CustodyAssets.notServed(withdrawal.amount.asset)
        }
        return (token, .zero, try KnownCall.transfer.callData([.address(recipient), .uint(units)]))
    }

    // The nonce is the same, so that the chain takes one of them; whichever that is, it is known by its hash.
    func dearer(
        than signed: CustodyWithdrawal.Signed,
        isRefused: Bool
    ) async throws -> CustodyWithdrawal.Signed? {
        guard let price = try? await chain.gasPrice(.fast), let old = try? SignedEthereumTransaction(signed.raw),
            isRefused ? price.maxFee > old.transaction.offered.maxFee : true
        else { return nil }
        let raised = price.replacing(old.transaction.offered)
        guard raised.maxFee <= chain.gasCeiling, let dearer = old.transaction.offering(raised) else { return nil }
        return CustodyWithdrawal.Signed(try await custodian.sign(dearer))
    }

    func send(_ signed: CustodyWithdrawal.Signed) async -> Reception { await chain.nodes.send(signed.raw) }

    // The nonce is used: by this payout, which the watch finds in its block, or for good by another transaction. Only
    // below blocks that are final is that said, for then no node will ever take this payout.
    func fate(of attempts: [CustodyWithdrawal.Signed]) async throws -> CustodyFate {
        for attempt in attempts where try await knows(attempt.hash) { return .known }
        let final = try await chain.nodes.head() - confirmations
        guard final >= 0, let nonce = attempts.first?.nonce,
            try await chain.nodes.nonce(of: address, at: .number(final)) > nonce
        else { return .unclear }
        for attempt in attempts where try await chain.nodes.receipt(attempt.hash) != nil { return .unclear }
        return .over
    }
}

extension CustodyWithdrawal.Signed {
    fileprivate init(_ signed: SignedEthereumTransaction) {
        self.init(raw: signed.bytes, hash: signed.hash, nonce: signed.transaction.nonce)
    }
}

import Kernel
import WalletCrypto

/// What a transaction does and costs, so that its user can compare it with what the wallet shows.
enum IntentSummary {
    /// The summary of a transaction at a price for gas.
    static func json(
        _ transaction: EthereumTransaction,
        _ price: GasPrice,
        kind: Intent.Kind,
        from wallet: EthereumAddress
    ) -> JSON {
        let call = transaction.data.isEmpty ? nil : try? KnownCall(transaction.data, from: wallet)
        return [
            "action": .string(kind.rawValue),
            "to": .string(transaction.to?.description ?? ""),
            "value": .string(transaction.value.description),
            "call": call?.summary ?? .null,
            "fees": .array([networkFee(transaction, price)]),
        ]
    }

    /// Gas as the network-fee line of a breakdown: at most what the transaction allows, in the chain's own coin.
    private static func networkFee(_ transaction: EthereumTransaction, _ price: GasPrice) -> JSON {
        let limit = Money(
            minorUnits: Int128(clamping: BigUInt(transaction.gasLimit) * price.maxFee),
            EthereumChain.gasAsset
        )
        return [
            "sequence": .integer(1), "category": "network", "text": "Gas", "asset": .string(limit.asset.code),
            "amount_max": .string(limit.wire), "gas_limit": .string(String(transaction.gasLimit)),
            "max_fee_per_gas": .string(price.maxFee.description),
            "max_priority_fee_per_gas": .string(price.tip.description),
        ]
    }
}

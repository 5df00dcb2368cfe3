import HTTP
import Kernel
import WalletCrypto

extension Intent {
    /// Where the API shows it.
    var path: String { "/v1/defi/transactions/\(id.wire)" }

    /// It as its user gets it.
    var json: JSON {
        let price = transaction.offered
        return [
            "id": .string(id.wire), "kind": .string(kind.rawValue), "status": .string(state.name),
            "reason": reason.map { .string($0) } ?? .null, "chain": .string(chain),
            "wallet": .string(wallet.wire), "from": .string(address.description),
            "strategy": strategy.map { .string($0.wire) } ?? .null,
            "replaces": replaces.map { .string($0.wire) } ?? .null,
            "asset": .string(amount.asset.code), "amount": .string(amount.wire), "summary": summary,
            "unsigned": [
                "type": .integer(transaction.type), "chain_id": .string(String(transaction.chainID)),
                "nonce": .string(String(transaction.nonce)),
                "to": .string(transaction.to?.description ?? ""), "value": .string(transaction.value.description),
                "data": .string(HexText.encode(transaction.data)),
                "gas_limit": .string(String(transaction.gasLimit)),
                "max_fee_per_gas": .string(price.maxFee.description),
                "max_priority_fee_per_gas": .string(price.tip.description),
            ],
            "unsigned_transaction": .string(HexText.encode(transaction.unsignedBytes)),
            "signing_hash": .string(HexText.encode(transaction.signingHash)),
            "transaction_hash": signed.map { .string(HexText.encode($0.hash)) } ?? .null,
            "block": state.block.map { block in
                ["number": .integer(block.number), "hash": .string(HexText.encode(block.hash))]
            } ?? .null,
            "gas_paid": state.inclusion.map {
                .string(Money(minorUnits: $0.gasCost, EthereumChain.gasAsset).wire)
            } ?? .null,
            "least_received": floor.map { .string(String($0.least)) } ?? .null,
            "created_at": .string(createdAt.description), "expires_at": .string(expiresAt.description),
        ]
    }

    /// What others are told of it.
    var told: JSON {
        [
            "intent": .string(id.wire), "user": .string(user.wire), "wallet": .string(wallet.wire),
            "chain": .string(chain), "kind": .string(kind.rawValue), "status": .string(state.name),
            "asset": .string(amount.asset.code), "amount": .string(amount.wire),
            "fee": .string(Money.zero(amount.asset).wire), "strategy": strategy.map { .string($0.wire) } ?? .null,
            "transaction_hash": signed.map { .string(HexText.encode($0.hash)) } ?? .null,
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: Intent.self)),
            .required("kind", .oneOf(Kind.self)),
            .required("status", .oneOf(IntentState.names)),
            .required("reason", .nullable(.anyString), "Why, where the status doesn't say."),
            .required("chain", .anyString, "CAIP-2."),
            .required("wallet", .id(of: Wallet.self)),
            .required("from", .anyString),
            .required("strategy", .nullable(.id(of: Strategy.self))),
            .required("replaces", .nullable(.id(of: Intent.self)), "What it takes the place of: the first one."),
            .required("asset", .asset),
            .required("amount", .amount),
            .required("summary", .any, "What it does and costs, to compare with what the wallet shows."),
            .required("unsigned", .nullable(unsignedSchema), "On Ethereum alone."),
            .required(
                "unsigned_transaction",
                .anyString,
                "What the wallet signs: on Ethereum as EIP-2718 has it, on Bitcoin a PSBT in Base 64."
            ),
            .required("signing_hash", .nullable(.anyString), "On Ethereum alone."),
            .required("transaction_hash", .nullable(.anyString)),
            .required("block", .nullable(.any), "The block that decides about it."),
            .required("gas_paid", .nullable(.amount), "The network's fee, in the chain's own coin."),
            .required(
                "least_received",
                .nullable(.anyString),
                """
                What a protocol whose calls name no least amount must say that it gives when this is signed: for a \
                start in units of the protocol, for an exit in the smallest of the asset.
                """
            ),
            .required("created_at", .instant),
            .required("expires_at", .instant, "Until when it may be signed."),
        ],
        named: "ChainTransaction"
    )

    private static let unsignedSchema = JSONSchema.object(
        [
            .required("type", .integer(0...2)), .required("chain_id", .anyString), .required("nonce", .anyString),
            .required("to", .anyString), .required("value", .anyString, "Wei."), .required("data", .anyString),
            .required("gas_limit", .anyString), .required("max_fee_per_gas", .anyString, "Wei."),
            .required("max_priority_fee_per_gas", .anyString, "Wei."),
        ],
        named: "UnsignedTransaction"
    )
}

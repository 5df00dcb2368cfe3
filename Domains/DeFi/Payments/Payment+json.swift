import Cryptography
import HTTP
import Kernel
import WalletCrypto

extension Payment {
    /// Where the API shows it.
    var path: String { "/v1/defi/transactions/\(id.wire)" }

    /// It as its user gets it, as other intents.
    var json: JSON {
        [
            "id": .string(id.wire), "kind": .string(draft.kind.rawValue), "status": .string(state.name),
            "reason": reason.map { .string($0) } ?? .null, "chain": .string(chain),
            "wallet": .string(draft.wallet.id.wire), "from": .string(draft.wallet.address), "strategy": .null,
            "replaces": draft.replaces.map { .string($0.wire) } ?? .null,
            "asset": .string(draft.amount.asset.code), "amount": .string(draft.amount.wire),
            "summary": draft.summary, "unsigned": .null, "unsigned_transaction": .string(unsigned.text),
            "signing_hash": .null, "transaction_hash": shown(signed?.hash),
            "block": state.block.map { ["number": .integer($0.number), "hash": shown($0.hash)] } ?? .null,
            "gas_paid": state.inclusion.flatMap { inclusion in
                coin.map { .string(Money(minorUnits: inclusion.gasCost, $0).wire) }
            } ?? .null,
            "least_received": .null,
            "created_at": .string(createdAt.description), "expires_at": .string(expiresAt.description),
        ]
    }

    /// What others are told of it.
    var told: JSON {
        [
            "intent": .string(id.wire), "user": .string(user.wire), "wallet": .string(draft.wallet.id.wire),
            "chain": .string(chain), "kind": .string(draft.kind.rawValue), "status": .string(state.name),
            "asset": .string(draft.amount.asset.code), "amount": .string(draft.amount.wire),
            "fee": .string(Money.zero(draft.amount.asset).wire), "strategy": .null,
            "transaction_hash": shown(signed?.hash),
        ]
    }

    /// The asset that fees are paid in.
    private var coin: Asset? { ChainID(chain)?.chain?.coin }

    private func shown(_ hash: [UInt8]?) -> JSON {
        guard let hash else { return .null }
        return .string(Chain.shown(hash, on: chain))
    }
}

extension Chain {
    /// The asset that its fees are paid in.
    var coin: Asset {
        switch self {
        case .bitcoin: .btc
        case .ethereum: .eth
        case .solana: .sol
        case .sui: .sui
        }
    }

    /// A hash of a block or a transaction of a chain (CAIP-2) as its explorers print it.
    static func shown(_ hash: [UInt8], on name: String) -> String {
        ChainID(name)?.chain?.shown(hash) ?? Hex.encode(hash)
    }

    /// A hash of a block or a transaction as the chain's explorers print it.
    func shown(_ hash: [UInt8]) -> String {
        switch self {
        case .bitcoin: Hex.encode(hash)
        case .ethereum: HexText.encode(hash)
        case .solana, .sui: Base58.encode(hash)
        }
    }
}

/// What a payment does and costs, so that its user can compare it with what the wallet shows.
enum PaymentSummary {
    /// The summary, with the fee as the network-fee line of a breakdown.
    static func json(_ unsigned: UnsignedPayment, _ order: PaymentOrder, _ kind: Intent.Kind, coin: Asset) -> JSON {
        let limit = Money(minorUnits: unsigned.feeMax, coin)
        let line: JSON = [
            "sequence": .integer(1), "category": "network", "text": "Network fee", "asset": .string(coin.code),
            "amount": .string(Money(minorUnits: unsigned.fee, coin).wire), "amount_max": .string(limit.wire),
        ]
        return .object(
            [
                .init("action", .string(kind.rawValue)), .init("to", .string(order.recipient)),
                .init("value", .string(String(order.amount.minorUnits))), .init("call", .null),
                .init("fees", .array([line])),
            ] + unsigned.summary
        )
    }
}

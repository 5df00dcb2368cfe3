import HTTP
import Kernel
import WalletCrypto

extension CustodyDeposit {
    /// It as its customer gets it.
    var json: JSON {
        [
            "id": .string(id.wire), "status": .string(state.shown), "reason": state.reason.map { .string($0) } ?? .null,
            "asset": .string(amount.asset.code), "amount": .string(amount.wire), "chain": .string(chain),
            "from": .string(sender), "transaction_hash": .string(Chain.shown(hash, on: chain)),
            "block": state.block.map { $0.json(on: chain) } ?? .null, "confirmations": .integer(confirmations),
            "required_confirmations": .integer(required), "created_at": .string(createdAt.description),
            "updated_at": .string(updatedAt.description),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: CustodyDeposit.self)),
            .required("status", .oneOf(["pending", "confirmed", "failed"])),
            .required("reason", .nullable(.anyString), "Why, where the status doesn't say."),
            .required("asset", .asset), .required("amount", .amount), .required("chain", .anyString, "CAIP-2."),
            .required(
                "from",
                .anyString,
                "The wallet that it came from; of several, their addresses with a space between two."
            ),
            .required("transaction_hash", .anyString),
            .required("block", .nullable(BlockReference.schema)),
            .required("confirmations", .integer(0...Int.max), "Blocks that stand on it, its own included."),
            .required("required_confirmations", .integer(1...Int.max)), .required("created_at", .instant),
            .required("updated_at", .instant),
        ],
        named: "CustodyDeposit"
    )

    /// What projections want to know of it, in the shape that the transactions of all domains share.
    func projected(balances: JSON) -> JSON {
        [
            "transaction": .string(id.wire), "user": user.map { .string($0.wire) } ?? .null, "kind": "deposit",
            "status": .string(state.shown), "asset": .string(amount.asset.code), "amount": .string(amount.wire),
            "fee": .string(Money.zero(amount.asset).wire), "account": .string(CustodyBooks.customer),
            "counterparty": .null, "other_domain": .null, "transaction_hash": .string(Chain.shown(hash, on: chain)),
            "balances": balances,
        ]
    }
}

extension CustodyWithdrawal {
    /// Where the API shows it.
    var path: String { "/v1/defi/custody/withdrawals/\(id.wire)" }

    /// It as its customer gets it.
    var json: JSON {
        [
            "id": .string(id.wire), "status": .string(state.shown), "reason": reason.map { .string($0) } ?? .null,
            "may_be_cancelled": .bool(state == .waiting), "asset": .string(amount.asset.code),
            "amount": .string(amount.wire), "fee": .string(fee.wire), "chain": .string(chain),
            "to": .string(recipient),
            "transaction_hash": state.signature.map { .string(Chain.shown($0.hash, on: chain)) } ?? .null,
            "block": state.inclusion.map { $0.block.json(on: chain) } ?? .null,
            "confirmations": .integer(confirmations),
            "required_confirmations": .integer(required), "created_at": .string(createdAt.description),
            "updated_at": .string(updatedAt.description),
        ]
    }

    /// It as operators get it among all transactions.
    var told: JSON {
        [
            "intent": .string(id.wire), "user": .string(user.wire), "wallet": .null, "chain": .string(chain),
            "kind": "payout", "status": .string(state.name), "asset": .string(amount.asset.code),
            "amount": .string(amount.wire), "fee": .string(fee.wire), "strategy": .null,
            "transaction_hash": state.signature.map { .string(Chain.shown($0.hash, on: chain)) } ?? .null,
            "reason": reason.map { .string($0) } ?? .null,
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: CustodyWithdrawal.self)),
            .required("status", .oneOf(["pending", "confirmed", "failed", "cancelled"])),
            .required("reason", .nullable(.anyString), "Why, where the status doesn't say."),
            .required("may_be_cancelled", .bool, "True until the payout is signed."),
            .required("asset", .asset), .required("amount", .amount, "What arrives."),
            .required("fee", .amount, "What it costs beside the amount."), .required("chain", .anyString, "CAIP-2."),
            .required("to", .anyString), .required("transaction_hash", .nullable(.anyString)),
            .required("block", .nullable(BlockReference.schema)),
            .required("confirmations", .integer(0...Int.max), "Blocks that stand on it, its own included."),
            .required("required_confirmations", .integer(1...Int.max)), .required("created_at", .instant),
            .required("updated_at", .instant),
        ],
        named: "CustodyWithdrawal"
    )

    /// What projections want to know of it, in the shape that the transactions of all domains share.
    func projected(balances: JSON) -> JSON {
        [
            "transaction": .string(id.wire), "user": .string(user.wire), "kind": "withdrawal",
            "status": .string(state.shown), "asset": .string(amount.asset.code), "amount": .string(amount.wire),
            "fee": .string(fee.wire), "account": .string(CustodyBooks.customer), "counterparty": .null,
            "other_domain": .null,
            "transaction_hash": state.signature.map { .string(Chain.shown($0.hash, on: chain)) } ?? .null,
            "balances": balances,
        ]
    }
}

extension BlockReference {
    fileprivate func json(on chain: String) -> JSON {
        ["number": .integer(number), "hash": .string(Chain.shown(hash, on: chain))]
    }

    fileprivate static let schema = JSONSchema.object(
        [.required("number", .integer(0...Int.max)), .required("hash", .anyString)],
        named: "Block"
    )
}

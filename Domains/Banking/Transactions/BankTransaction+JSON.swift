import HTTP
import Kernel

extension BankTransaction {
    /// The transaction as its customer gets it.
    var json: JSON {
        var members: [JSON.Member] = [
            .init("id", .string(id.wire)), .init("kind", .string(kind.rawValue)),
            .init("status", .string(status.rawValue)), .init("asset", .string(amount.asset.code)),
            .init("amount", .string(amount.wire)), .init("fee", .string(fee.wire)),
            .init("account", .string(account)), .init("created_at", .string(createdAt.description)),
            .init("updated_at", .string(updatedAt.description)),
        ]
        func add(_ name: String, _ value: String?) {
            if let value { members.append(.init(name, .string(value))) }
        }
        add("counterparty", counterparty?.wire)
        add("other_domain", otherDomain)
        add("linked_account", linkedAccount?.wire)
        add("provider", provider)
        add("wallet", wallet)
        add("chain_hash", chainHash)
        if refunded.minorUnits > 0 { add("refunded", refunded.wire) }
        add("reason", reason)
        add("memo", memo)
        if let providerAction { members.append(.init("provider_action", providerAction)) }
        return .object(members)
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: BankTransaction.self)),
            .required("kind", .oneOf(Kind.self)),
            .required("status", .oneOf(TransactionStatus.self)),
            .required("asset", .asset),
            .required("amount", .amount),
            .required(
                "fee",
                .amount,
                "What it cost; beside the amount for payments and withdrawals, out of it for deposits."
            ),
            .required(
                "account",
                .oneOf(["checking", "savings", "own_wallet"]),
                "The customer's account; `own_wallet` for what is bought to or sold from a wallet of their own."
            ),
            .required("created_at", .instant),
            .required("updated_at", .instant),
            .optional("counterparty", .id(of: User.self), "The payee of a payment."),
            .optional("other_domain", .anyString, "Where a transfer goes to or comes from."),
            .optional("linked_account", .id(of: BankAccount.self), "The card or bank account."),
            .optional("provider", .anyString),
            .optional("wallet", .anyString, "The own wallet of a purchase or sale, by CAIP-10."),
            .optional("chain_hash", .anyString, "The transaction on the wallet's chain, as the provider names it."),
            .optional("refunded", .amount, "What was taken back of a deposit."),
            .optional("reason", .anyString, "Why it failed or was returned."),
            .optional("memo", .anyString),
            .optional(
                "provider_action",
                .any,
                "What the customer must do at the provider: a client secret, or a URL to go to."
            ),
        ],
        named: "Transaction"
    )
}

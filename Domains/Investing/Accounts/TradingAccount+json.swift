import DomainKit
import HTTP
import Kernel
import Ledger

extension TradingAccount {
    /// How much an owner may want to risk, least first.
    static let tolerances = ["conservative", "balanced", "aggressive"]
    static let toleranceDefault = "balanced"

    /// Its version as clients compare it.
    var tag: EntityTag { EntityTag(version: version) }

    /// The account with those of the user's balances that are its own.
    func json(holding balances: [Balance]) -> JSON {
        [
            "id": .string(id.wire), "type": .string(kind.rawValue), "status": .string(status.rawValue),
            "trading_enabled": .bool(status == .open), "margin_enabled": .bool(isMarginEnabled),
            "risk_tolerance": .string(riskTolerance),
            "balances": .array(balances.filter { $0.kind == ledgerKind }.map { BalanceList.json($0) }),
            "version": .integer(version), "created_at": .string(createdAt.description),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: TradingAccount.self)), .required("type", .oneOf(TradingAccount.Kind.self)),
            .required("status", .oneOf(TradingAccount.Status.self)),
            .required("trading_enabled", .bool, "Whether it takes orders."),
            .required("margin_enabled", .bool, "Whether it may borrow; no account does yet."),
            .required("risk_tolerance", .oneOf(tolerances)),
            .required("balances", .array(of: BalanceList.entry, count: 0...Asset.all.count)),
            .required("version", .integer(1...Int.max)), .required("created_at", .string(.instant)),
        ],
        named: "TradingAccount"
    )
}

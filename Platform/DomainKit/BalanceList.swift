public import HTTP
public import Kernel
public import Ledger

/// Balances of one customer in one domain, on the wire.
public enum BalanceList {
    /// What a list looks like.
    public static let schema = JSONSchema.object(
        [.required("data", .array(of: entry, count: 0...1_000))],
        named: "BalanceList"
    )

    /// One balance.
    public static let entry = JSONSchema.object(
        [
            .required("account", .anyString, "What it is: `checking`, `savings`, `trading`."),
            .required("asset", .asset),
            .required("available", .anyString, "What may be spent."),
            .required("reserved", .anyString, "What is held for something under way."),
            .required("total", .anyString, "Both together."),
            .required("frozen", .bool, "Whether outgoing money is stopped."),
        ],
        named: "Balance"
    )

    /// A list of balances.
    public static func json(_ balances: [Balance]) -> JSON { ["data": .array(balances.map(json))] }

    /// A balance.
    public static func json(_ balance: Balance) -> JSON {
        [
            "account": .string(balance.kind), "asset": .string(balance.total.asset.code),
            "available": .string(balance.available.wire), "reserved": .string(balance.reserved.wire),
            "total": .string(balance.total.wire), "frozen": .bool(balance.frozenBecause != nil),
        ]
    }
}

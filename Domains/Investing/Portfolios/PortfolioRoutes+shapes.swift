import HTTP
import Kernel

extension PortfolioRoutes {
    static let id = Parameter.path("id", .id(of: Portfolio.self), "The portfolio.")

    static let termsProblems = [
        "allocation_over_whole", "duplicate_asset", "cash_is_the_rest", "no_market", "risk_level_exceeded",
        "risk_above_account",
    ]

    static let body = JSONSchema.object(
        [
            .required("name", .text(1...60), "Unique among the account's open portfolios."),
            .optional("account", .oneOf(TradingAccount.Kind.self), "`brokerage` unless given."),
            .optional("cash", .asset, "What its assets are bought and sold for; `USDC` unless given."),
        ] + PortfolioTerms.changeable,
        named: "NewPortfolio"
    )

    static let changeBody = JSONSchema.object(
        [.optional("name", .text(1...60))] + PortfolioTerms.changeable,
        named: "PortfolioChange"
    )

    static let moveBody = JSONSchema.object(
        [
            .required("direction", .oneOf(["in", "out"])), .required("asset", .asset),
            .required("amount", .positiveAmount),
        ],
        named: "NewPortfolioMove"
    )

    static let listSchema = JSONSchema.object(
        [.required("data", .array(of: Portfolio.schema, count: 0...Portfolio.perAccountMax))],
        named: "PortfolioList"
    )

    static let flowsSchema = JSONSchema.object(
        [.required("data", .array(of: PortfolioFlow.schema, count: 0...Page.limitMax))],
        named: "PortfolioFlowList"
    )
}

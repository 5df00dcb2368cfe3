import HTTP
import Kernel
import PostgreSQL

/// Some assets and their cash, kept apart within a trading account, with the weights that they are to have.
///
/// It has an account of its own with the same number, so its balances, positions, orders and trades are its alone.
struct Portfolio: Sendable, Entity {
    static let idPrefix = "pf"

    /// Portfolios that an account may have open.
    static let perAccountMax = 20

    enum Status: String, Sendable, CaseIterable {
        case open, closed
    }

    let id: ID<Portfolio>
    /// The account that it lies in.
    let within: ID<TradingAccount>
    let kind: TradingAccount.Kind
    /// Its own account.
    let account: TradingAccount
    let cash: Asset
    let terms: PortfolioTerms
    let nextRunAt: Timestamp?
    let status: Status
    let version: Int64
    let createdAt: Timestamp

    var tag: EntityTag { EntityTag(version: version) }

    /// The kind of its balances in the ledger.
    static func ledgerKind(_ id: ID<Portfolio>) -> String { "portfolio:\(id.wire)" }

    /// Basis points that are to be cash.
    var cashWeight: Int { terms.cashWeight }

    var json: JSON {
        [
            "id": .string(id.wire), "account": .string(kind.rawValue), "name": .string(terms.name),
            "risk_level": .string(terms.riskLevel.rawValue), "cash": .string(cash.code),
            "targets": .array(
                terms.assets.map {
                    ["asset": .string($0.code), "basis_points": .integer(terms.targets[$0, default: 0])]
                }
            ),
            "cash_basis_points": .integer(cashWeight),
            "drift_band": [
                "kind": .string(terms.band.kind.rawValue), "basis_points": .integer(terms.band.basisPoints),
            ],
            "order_minimum": .string(DecimalText.format(terms.orderMinimum, scale: cash.scale)),
            "slippage_basis_points": .integer(terms.slippage), "schedule": .string(terms.schedule.rawValue),
            "on_drift": .bool(terms.isOnDrift), "paused": .bool(terms.isPaused),
            "next_run_at": nextRunAt.map { .string($0.description) } ?? .null, "status": .string(status.rawValue),
            "version": .integer(version), "created_at": .string(createdAt.description),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: Portfolio.self)),
            .required("account", .oneOf(TradingAccount.Kind.self), "The account that it lies in."),
            .required("name", .anyString), .required("risk_level", .oneOf(RiskLevel.self)),
            .required("cash", .asset, "What its assets are bought and sold for, and valued in."),
            .required("targets", .array(of: PortfolioTerms.target, count: 0...Asset.all.count)),
            .required("cash_basis_points", .integer(0...Allocation.whole), "What the targets leave."),
            .required("drift_band", PortfolioTerms.bandSchema), .required("order_minimum", .anyString),
            .required("slippage_basis_points", .integer(1...PortfolioTerms.slippageMax)),
            .required("schedule", .oneOf(Schedule.self)), .required("on_drift", .bool), .required("paused", .bool),
            .required("next_run_at", .nullable(.string(.instant))), .required("status", .oneOf(Status.self)),
            .required("version", .integer(1...Int.max)), .required("created_at", .string(.instant)),
        ],
        named: "Portfolio"
    )
}

extension Portfolio {
    /// When it is rebalanced by itself, besides for drift; days begin in UTC, weeks on Mondays.
    enum Schedule: String, Sendable, CaseIterable {
        case none, daily, weekly, monthly

        /// The start of the next period after an instant; nil for none.
        func next(after instant: Timestamp) -> Timestamp? {
            let day = instant.day
            switch self {
            case .none: return nil
            case .daily: return CalendarDay(daysSince1970: day.daysSince1970 + 1).start
            case .weekly:
                // 1970-01-01 was a Thursday.
                let weekday = (day.daysSince1970 + 3) % 7
                return CalendarDay(daysSince1970: day.daysSince1970 + 7 - weekday).start
            case .monthly:
                let (year, month, _) = day.civil
                return CalendarDay(year: month == 12 ? year + 1 : year, month: month % 12 + 1, day: 1)?.start
            }
        }
    }
}

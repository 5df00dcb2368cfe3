import HTTP
import Kernel
import PostgreSQL

extension Portfolio {
    /// As `Portfolios.select` reads it.
    init(_ row: Row) throws {
        let account = try TradingAccount.read(row)
        guard let cash = Asset(code: try row["cash"]), let status = Status(rawValue: try row["portfolio_status"]) else {
            throw InvestingFault.unknownName(table: "portfolios")
        }
        self.init(
            id: account.id.cast(),
            within: try row["within"],
            kind: account.kind,
            account: account,
            cash: cash,
            terms: try PortfolioTerms(row),
            nextRunAt: try row["next_run_at"],
            status: status,
            version: try row["portfolio_version"],
            createdAt: try row["opened_at"]
        )
    }
}

extension PortfolioTerms {
    init(_ row: Row) throws {
        guard let level = RiskLevel(rawValue: try row["risk_level"]),
            let targets = PortfolioTerms.targets(stored: try row["targets"]),
            let kind = DriftBand.Kind(rawValue: try row["band_kind"]),
            let schedule = Portfolio.Schedule(rawValue: try row["schedule"])
        else { throw InvestingFault.unknownName(table: "portfolios") }
        self.init(
            name: try row["name"],
            riskLevel: level,
            targets: targets,
            band: DriftBand(kind: kind, basisPoints: try row["band"]),
            orderMinimum: try row["order_minimum"],
            slippage: try row["slippage"],
            schedule: schedule,
            isOnDrift: try row["is_on_drift"],
            isPaused: try row["is_paused"]
        )
    }

    /// What the audit log keeps of them.
    func json(_ cash: Asset) -> JSON {
        [
            "name": .string(name), "risk_level": .string(riskLevel.rawValue), "targets": storedTargets,
            "drift_band": .string("\(band.kind.rawValue) \(band.basisPoints)"),
            "order_minimum": .string(DecimalText.format(orderMinimum, scale: cash.scale)),
            "slippage": .integer(slippage), "schedule": .string(schedule.rawValue), "on_drift": .bool(isOnDrift),
            "paused": .bool(isPaused),
        ]
    }
}

/// Something that went into a portfolio, or out of it.
struct PortfolioFlow: Sendable {
    /// Counts a portfolio's flows from 1, without gaps.
    let number: Int64
    let asset: Asset
    /// Minor units of the asset, below zero when taken out.
    let amount: Int128
    /// Minor units of the portfolio's cash, below zero when taken out.
    let value: Int128
    let before: Int128
    let after: Int128
    let recordedAt: Timestamp

    init(_ row: Row) throws {
        guard let asset = Asset(code: try row["asset"]) else {
            throw InvestingFault.unknownName(table: "portfolio_flows")
        }
        (number, self.asset) = (try row["number"], asset)
        (amount, value) = (try row["amount"], try row["value"])
        (before, after) = (try row["value_before"], try row["value_after"])
        recordedAt = try row["recorded_at"]
    }

    func json(_ cash: Asset) -> JSON {
        func money(_ value: Int128) -> JSON { .string(DecimalText.format(value, scale: cash.scale)) }
        return [
            "number": .integer(number), "direction": amount > 0 ? "in" : "out", "asset": .string(asset.code),
            "amount": .string(DecimalText.format(abs(amount), scale: asset.scale)), "value": money(abs(value)),
            "value_before": money(before), "value_after": money(after), "at": .string(recordedAt.description),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("number", .integer(1...Int.max), "Counts the portfolio's flows, without gaps."),
            .required("direction", .oneOf(["in", "out"])), .required("asset", .asset),
            .required("amount", .anyString), .required("value", .anyString, "In the portfolio's cash."),
            .required("value_before", .anyString, "What the portfolio was worth the moment before."),
            .required("value_after", .anyString), .required("at", .string(.instant)),
        ],
        named: "PortfolioFlow"
    )
}

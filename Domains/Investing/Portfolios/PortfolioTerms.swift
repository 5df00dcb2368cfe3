import HTTP
import Kernel

/// What a portfolio's owner decides about it.
struct PortfolioTerms: Sendable, Hashable {
    /// Basis points that an order's price may be worse than the last trade's.
    static let slippageMax = 1_000

    var name: String
    var riskLevel = RiskLevel.balanced
    /// Basis points by asset, without the cash.
    var targets: [Asset: Int] = [:]
    var band = DriftBand(kind: .absolute, basisPoints: 500)
    /// Minor units of the cash; orders that are worth less aren't placed.
    var orderMinimum: Int128 = 0
    var slippage = 100
    var schedule = Portfolio.Schedule.none
    var isOnDrift = false
    var isPaused = false

    /// The assets with a target, in the platform's order.
    var assets: [Asset] { Asset.all.filter { targets[$0] != nil } }

    /// Basis points that the targets leave to the cash.
    var cashWeight: Int { Allocation.whole - targets.values.reduce(0, +) }

    /// The same terms with what a checked body says of them.
    ///
    /// - Throws: 422 `allocation_over_whole`, `duplicate_asset`, `cash_is_the_rest`, `no_market`,
    ///   `risk_level_exceeded`, `risk_above_account`.
    func changed(
        by body: JSON,
        cash: Asset,
        tolerance: String,
        tradable: Set<Asset>
    ) throws(Problem) -> PortfolioTerms {
        var terms = self
        if let name = body["name"]?.stringValue { terms.name = name }
        if let level = body["risk_level"]?.stringValue.flatMap({ RiskLevel(rawValue: $0) }) { terms.riskLevel = level }
        if let list = body["targets"]?.elements { terms.targets = try PortfolioTerms.targets(list, cash, tradable) }
        if let band = body["drift_band"], let kind = band["kind"]?.stringValue.flatMap({ DriftBand.Kind(rawValue: $0) })
        {
            terms.band = DriftBand(kind: kind, basisPoints: band["basis_points"]?.integerValue ?? 0)
        }
        if let minimum = body["order_minimum"]?.stringValue {
            do throws(AmountError) {
                terms.orderMinimum = try Money(wire: minimum, cash).minorUnits
            } catch {
                throw Problem.malformed(error.rawValue, in: "/order_minimum")
            }
        }
        if let slippage = body["slippage_basis_points"]?.integerValue { terms.slippage = slippage }
        if let schedule = body["schedule"]?.stringValue.flatMap({ Portfolio.Schedule(rawValue: $0) }) {
            terms.schedule = schedule
        }
        if let isOnDrift = body["on_drift"]?.boolValue { terms.isOnDrift = isOnDrift }
        if let isPaused = body["paused"]?.boolValue { terms.isPaused = isPaused }
        if terms.riskLevel != riskLevel || body["risk_level"] != nil {
            guard terms.riskLevel.isWithin(tolerance) else {
                throw Problem(
                    422,
                    "risk_above_account",
                    "The account's risk tolerance is \(tolerance); the portfolio can't be \(terms.riskLevel.rawValue).",
                    faults: [Problem.Fault("/risk_level", "risk_above_account")]
                )
            }
        }
        try terms.riskLevel.check(terms.targets)
        return terms
    }

    private static func targets(
        _ list: [JSON],
        _ cash: Asset,
        _ tradable: Set<Asset>
    ) throws(Problem) -> [Asset: Int] {
        var targets: [Asset: Int] = [:]
        for (place, entry) in list.enumerated() {
            func refuse(_ code: String, _ detail: String) -> Problem {
                Problem(422, code, detail, faults: [Problem.Fault("/targets/\(place)/asset", code)])
            }
            guard let asset = entry["asset"]?.stringValue.flatMap({ Asset(code: $0) }),
                let weight = entry["basis_points"]?.integerValue
            else { throw Problem.malformed("unknown_asset", in: "/targets/\(place)/asset") }
            guard asset != cash else {
                throw refuse("cash_is_the_rest", "\(cash) is the cash; what the targets leave of 10,000 is its share.")
            }
            guard tradable.contains(asset) else {
                throw refuse("no_market", "There is no market \(asset)-\(cash), so \(asset) can't be bought.")
            }
            guard targets.updateValue(weight, forKey: asset) == nil else {
                throw refuse("duplicate_asset", "\(asset) has two targets.")
            }
        }
        let sum = targets.values.reduce(0, +)
        guard sum <= Allocation.whole else {
            throw Problem(
                422,
                "allocation_over_whole",
                "The targets add up to \(sum) basis points; 10,000 are the whole.",
                faults: [Problem.Fault("/targets", "allocation_over_whole")]
            )
        }
        return targets
    }

    /// Its targets as they are stored.
    var storedTargets: JSON {
        .object(assets.map { JSON.Member($0.code, .integer(targets[$0, default: 0])) })
    }

    /// Reads stored targets; nil for an asset that isn't known.
    static func targets(stored json: JSON) -> [Asset: Int]? {
        guard case .object(let members) = json else { return nil }
        var targets: [Asset: Int] = [:]
        for member in members {
            guard let asset = Asset(code: member.name), let weight = member.value.integerValue else { return nil }
            targets[asset] = weight
        }
        return targets
    }

    // MARK: Shapes

    static let target = JSONSchema.object(
        [.required("asset", .asset), .required("basis_points", .integer(1...Allocation.whole))],
        named: "PortfolioTarget"
    )
    static let bandSchema = JSONSchema.object(
        [
            .required("kind", .oneOf(DriftBand.Kind.self), "Of the portfolio (`absolute`), or of the target."),
            .required("basis_points", .integer(0...Allocation.whole)),
        ],
        named: "DriftBand"
    )
    /// What may be changed later.
    static let changeable: [JSONSchema.Property] = [
        .optional("risk_level", .oneOf(RiskLevel.self), "`balanced` unless given; not above the account's."),
        .optional(
            "targets",
            .array(of: target, count: 0...Asset.all.count),
            "What is to be had of each asset; the rest is cash."
        ),
        .optional("drift_band", bandSchema, "How far a share may be from its target; 500 of the portfolio."),
        .optional("order_minimum", .amount, "Orders that are worth less aren't placed; 0 unless given."),
        .optional(
            "slippage_basis_points",
            .integer(1...slippageMax),
            "How much worse than the last price an order may trade; 100 unless given."
        ),
        .optional("schedule", .oneOf(Portfolio.Schedule.self), "When it rebalances by itself; `none` unless given."),
        .optional("on_drift", .bool, "Whether it rebalances by itself when it leaves its band."),
        .optional("paused", .bool, "Whether it rebalances by itself at all; it does unless this is true."),
    ]
}

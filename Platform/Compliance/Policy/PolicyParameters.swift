public import Kernel

/// The parameters of a version of the rules.
///
/// Units are units of account: an amount counts as what `worth` makes of it.
public struct PolicyParameters: Sendable, Hashable {
    /// From here on an amount is flagged.
    public var flagUnits = 10_000
    /// From here on an amount is blocked.
    public var blockUnits = 1_000_000
    /// What somebody who isn't identified may move at once.
    public var unidentifiedUnits = 1_000
    /// What somebody without a name may pay in a day.
    public var namelessUnits = 100
    /// Below this an ordinary payment is decided without looking at the history while limits are far away.
    public var lookUnits = 1_000
    /// Outgoing movements in a day from which on money that leaves is looked at.
    public var velocityCount = 300
    /// Units that left in a day from which on more is looked at.
    public var velocityUnits = 100_000
    /// Movements of a day just below the flagged amount that look like one that was split.
    public var structuringCount = 3
    /// Of the flagged amount, how many hundredths are just below it.
    public var structuringPercent = 80
    /// Days without a movement after which an account sleeps; what wakes it is looked at.
    public var dormantDays = 180
    /// Hours for which a device counts as new; money that leaves then is looked at.
    public var newDeviceHours = 24
    /// Transfers to another domain and back in a day that look like money sent round.
    public var roundTripCount = 6
    /// Units that may leave in a day from whoever isn't identified.
    public var noneDayUnits = 2_000
    /// Units that may leave in a day from whoever is identified by name and birth.
    public var basicDayUnits = 100_000
    /// Units that may leave in a day from whoever is identified by documents.
    public var fullDayUnits = 1_000_000
    /// Units that came in within a day from which on money that leaves again is looked at.
    public var passThroughUnits = 10_000
    /// Of what came in within a day, how many hundredths leave again where money only passes through.
    public var passThroughPercent = 90
    /// Hours for which what a released case was about isn't looked at again.
    public var clearanceHours = 72
    /// Payouts from so many units on are recorded with the names of both sides (the travel rule).
    public var travelRuleUnits = 1_000
    /// From this level on (2 is full) two people approve that somebody is identified; 3 for none.
    public var twoPeopleLevel = 2
    /// Countries whose customers' money is looked at when it leaves, by ISO 3166-1 alpha-2.
    public var highRiskCountries: Set<String> = ["IR", "KP", "MM"]

    /// What amounts of different assets count as.
    public var worth = AssetWorth.usual

    /// The usual parameters.
    public init() {}

    private static let numbers: [(name: String, path: any WritableKeyPath<PolicyParameters, Int> & Sendable)] = [
        ("flag_units", \.flagUnits), ("block_units", \.blockUnits), ("unidentified_units", \.unidentifiedUnits),
        ("nameless_units", \.namelessUnits), ("look_units", \.lookUnits), ("velocity_count", \.velocityCount),
        ("velocity_units", \.velocityUnits),
        ("structuring_count", \.structuringCount), ("structuring_percent", \.structuringPercent),
        ("dormant_days", \.dormantDays), ("new_device_hours", \.newDeviceHours),
        ("round_trip_count", \.roundTripCount), ("none_day_units", \.noneDayUnits),
        ("basic_day_units", \.basicDayUnits), ("full_day_units", \.fullDayUnits),
        ("pass_through_units", \.passThroughUnits), ("pass_through_percent", \.passThroughPercent),
        ("clearance_hours", \.clearanceHours), ("travel_rule_units", \.travelRuleUnits),
        ("kyc_two_people_level", \.twoPeopleLevel),
    ]

    /// Reads what is given; what isn't is as usual.
    ///
    /// - Throws: `PolicyParametersError` for a name that isn't known or a value that can't be.
    public init(json: JSON) throws(PolicyParametersError) {
        guard case .object(let members) = json else { throw .notAnObject }
        for member in members {
            if member.name == "high_risk_countries" {
                highRiskCountries = try PolicyParameters.countries(member)
                continue
            }
            if member.name == "asset_values" {
                worth = try PolicyParameters.worth(member)
                continue
            }
            guard let path = PolicyParameters.numbers.first(where: { $0.name == member.name })?.path else {
                throw .unknown(member.name)
            }
            guard let number = member.value.integerValue, (1...1_000_000_000).contains(number) else {
                throw .impossible(member.name)
            }
            self[keyPath: path] = number
        }
        guard flagUnits <= blockUnits else { throw .impossible("flag_units") }
        guard structuringPercent < 100 else { throw .impossible("structuring_percent") }
        guard noneDayUnits <= basicDayUnits else { throw .impossible("none_day_units") }
        guard basicDayUnits <= fullDayUnits else { throw .impossible("basic_day_units") }
    }

    private static func countries(_ member: JSON.Member) throws(PolicyParametersError) -> Set<String> {
        guard case .array(let codes) = member.value else { throw .impossible(member.name) }
        let countries = Set(codes.compactMap(\.stringValue))
        guard countries.count == codes.count, countries.allSatisfy({ $0.utf8.count == 2 }) else {
            throw .impossible(member.name)
        }
        return countries
    }

    private static func worth(_ member: JSON.Member) throws(PolicyParametersError) -> AssetWorth {
        guard case .object(let members) = member.value else { throw .impossible(member.name) }
        var values: [String: Int] = [:]
        for asset in members {
            guard Asset(code: asset.name) != nil, let value = asset.value.integerValue,
                (1...AssetWorth.valueMax).contains(value)
            else { throw .impossible(member.name) }
            values[asset.name] = value
        }
        return AssetWorth(values: values)
    }

    /// All of them, as `init(json:)` reads them.
    public var json: JSON {
        .object(
            PolicyParameters.numbers.map { JSON.Member($0.name, .integer(self[keyPath: $0.path])) }
                + [
                    JSON.Member("high_risk_countries", .array(highRiskCountries.sorted().map(JSON.string))),
                    JSON.Member(
                        "asset_values",
                        .object(worth.values.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .integer($0.value)) })
                    ),
                ]
        )
    }
}

/// Why parameters aren't used.
public enum PolicyParametersError: Error, Sendable, Hashable {
    /// They are a JSON object.
    case notAnObject
    /// There is no parameter of that name.
    case unknown(String)
    /// The value of that parameter can't be.
    case impossible(String)
}

extension PolicyParametersError: ProblemConvertible {
    /// What an operator is told.
    public var problem: Problem {
        switch self {
        case .notAnObject: Problem(422, "rules_not_an_object", "Parameters are a JSON object.")
        case .unknown(let name): Problem(422, "rules_unknown_parameter", "There is no parameter \(name).")
        case .impossible(let name): Problem(422, "rules_impossible_value", "The value of \(name) can't be.")
        }
    }
}

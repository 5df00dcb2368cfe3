import Kernel

/// Goes through a schedule and notes everything that is wrong with it.
struct FeeScheduleCheck {
    private(set) var faults: [Problem.Fault] = []
    private let asset: Asset

    /// Beyond these the schedule is hardly a schedule.
    static let faultsMax = 50
    private static let codeLengthMax = 40
    private static let operationLengthMax = 100
    private static let textLengthMax = 200

    init(asset: Asset) { self.asset = asset }

    mutating func schedule(_ schedule: FeeSchedule) {
        note("/version", "out_of_range", unless: (1...Int(Int32.max)).contains(schedule.version))
        note("/operation", "malformed", unless: FeeScheduleCheck.isOperation(schedule.operation))
        if let end = schedule.effectiveTo {
            note("/effective_to", "not_after_effective_from", unless: end > schedule.effectiveFrom)
        }
        note("/rules", "too_many", unless: schedule.rules.count <= FeeSchedule.rulesMax)
        let isFree = FeeSchedule.uncharged.contains(schedule.operation)
        note("/rules", "not_chargeable", unless: !isFree || schedule.rules.isEmpty)
        var codes: Set<String> = []
        for (index, item) in schedule.rules.enumerated() {
            note("/rules/\(index)/rule", "duplicate", unless: codes.insert(item.code).inserted)
            rule(item, "/rules/\(index)")
        }
    }

    private mutating func rule(_ rule: FeeRule, _ pointer: String) {
        note(pointer + "/rule", "malformed", unless: FeeScheduleCheck.isCode(rule.code))
        let length = rule.text.unicodeScalars.count
        note(pointer + "/text", "out_of_range", unless: (1...FeeScheduleCheck.textLengthMax).contains(length))
        let hasControls = rule.text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        note(pointer + "/text", "control_character", unless: !hasControls)
        terms(rule.terms, pointer + "/terms")
        bounds(rule, pointer)
        allowance(rule.allowance, pointer + "/allowance")
        for (tier, tierTerms) in rule.tiers.sorted(by: { $0.key < $1.key }) {
            if case .terms(let own) = tierTerms { terms(own, pointer + "/tiers/\(tier.rawValue)/terms") }
        }
        volumeDiscounts(rule.volumeDiscounts, pointer + "/volume_discounts")
        if let provider = rule.provider {
            note(pointer + "/provider", "malformed", unless: FeeScheduleCheck.isCode(provider))
        }
        if let option = rule.premiumOption {
            note(pointer + "/premium_option", "malformed", unless: FeeScheduleCheck.isCode(option))
        }
        let isPremium = rule.category == .premium
        note(pointer + "/premium_option", "premium_rules_only", unless: isPremium || rule.premiumOption == nil)
        note(pointer + "/premium_option", "required", unless: !isPremium || rule.premiumOption != nil)
    }

    private mutating func bounds(_ rule: FeeRule, _ pointer: String) {
        amount(rule.minimum, pointer + "/minimum")
        amount(rule.maximum, pointer + "/maximum")
        if let minimum = rule.minimum, let maximum = rule.maximum {
            note(pointer + "/minimum", "above_maximum", unless: minimum.minorUnits <= maximum.minorUnits)
        }
    }

    private mutating func allowance(_ allowance: FeeAllowance?, _ pointer: String) {
        switch allowance {
        case .amount(let free):
            amount(free, pointer + "/amount")
            note(pointer + "/amount", "not_positive", unless: free.minorUnits > 0)
        case .count(let count): note(pointer + "/count", "not_positive", unless: count > 0)
        case nil: break
        }
    }

    private mutating func terms(_ terms: [FeeTerm], _ pointer: String) {
        note(pointer, "empty", unless: !terms.isEmpty)
        note(pointer, "too_many", unless: terms.count <= FeeRule.termsMax)
        for (index, term) in terms.enumerated() {
            switch term {
            case .flat(let flat): amount(flat, "\(pointer)/\(index)/flat")
            case .percentage: break
            case .graduated(let items): bands(items, "\(pointer)/\(index)/graduated")
            case .volume(let items): bands(items, "\(pointer)/\(index)/volume")
            }
        }
    }

    private mutating func bands(_ bands: [FeeBand], _ pointer: String) {
        note(pointer, "empty", unless: !bands.isEmpty)
        note(pointer, "too_many", unless: bands.count <= FeeTerm.bandsMax)
        var previous: Int128 = 0
        for (index, band) in bands.enumerated() {
            amount(band.flat, "\(pointer)/\(index)/flat")
            let isLast = index == bands.count - 1
            note("\(pointer)/\(index)/up_to", "last_band_has_an_end", unless: !isLast || band.upTo == nil)
            note("\(pointer)/\(index)/up_to", "required", unless: isLast || band.upTo != nil)
            guard let upTo = band.upTo else { continue }
            amount(upTo, "\(pointer)/\(index)/up_to")
            note("\(pointer)/\(index)/up_to", "not_ascending", unless: upTo.minorUnits > previous)
            previous = upTo.minorUnits
        }
    }

    private mutating func volumeDiscounts(_ discounts: [FeeVolumeDiscount], _ pointer: String) {
        note(pointer, "too_many", unless: discounts.count <= FeeRule.volumeDiscountsMax)
        var previous: Int128 = 0
        for (index, discount) in discounts.enumerated() {
            amount(discount.from, "\(pointer)/\(index)/from")
            note("\(pointer)/\(index)/from", "not_ascending", unless: discount.from.minorUnits > previous)
            previous = discount.from.minorUnits
        }
    }

    private mutating func amount(_ amount: Money?, _ pointer: String) {
        guard let amount else { return }
        note(pointer, "other_asset", unless: amount.asset == asset)
        note(pointer, "negative", unless: amount.minorUnits >= 0)
    }

    private mutating func note(_ pointer: String, _ code: String, unless holds: Bool) {
        if !holds, faults.count < FeeScheduleCheck.faultsMax { faults.append(.init(pointer, code)) }
    }

    /// Lower case letters, digits and `_`, beginning with a letter.
    private static func isCode(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return text.utf8.count <= codeLengthMax
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }

    private static func isOperation(_ text: String) -> Bool {
        let words = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= operationLengthMax && words.count >= 2 && words.allSatisfy { isCode($0) }
    }
}

public import Kernel

extension FeeRule {
    /// The rule as JSON: amounts as wire amounts, shares as percentages in strings, what isn't set left out.
    public var json: JSON {
        var members: [JSON.Member] = [
            .init("rule", .string(code)), .init("category", .string(category.rawValue)), .init("text", .string(text)),
            .init("terms", .array(terms.map(\.json))),
        ]
        if let minimum { members.append(.init("minimum", .string(minimum.wire))) }
        if let maximum { members.append(.init("maximum", .string(maximum.wire))) }
        if let cap { members.append(.init("cap_percent", .string(cap.percent))) }
        switch allowance {
        case .amount(let free): members.append(.init("allowance", ["amount": .string(free.wire)]))
        case .count(let count): members.append(.init("allowance", ["count": .integer(count)]))
        case nil: break
        }
        if !tiers.isEmpty {
            let sorted = tiers.sorted { $0.key < $1.key }
            let items = sorted.map { JSON.Member(String($0.key.rawValue), $0.value.json) }
            members.append(.init("tiers", .object(items)))
        }
        if !volumeDiscounts.isEmpty {
            let items: [JSON] = volumeDiscounts.map {
                ["from": .string($0.from.wire), "discount_percent": .string($0.discount.percent)]
            }
            members.append(.init("volume_discounts", .array(items)))
        }
        if let provider { members.append(.init("provider", .string(provider))) }
        if let premiumOption { members.append(.init("premium_option", .string(premiumOption))) }
        if !isRefundable { members.append(.init("refundable", false)) }
        return .object(members)
    }
}

extension FeeTierTerms {
    fileprivate var json: JSON {
        switch self {
        case .discount(let rate): ["discount_percent": .string(rate.percent)]
        case .terms(let terms): ["terms": .array(terms.map(\.json))]
        }
    }
}

extension FeeTerm {
    fileprivate var json: JSON {
        switch self {
        case .flat(let amount): ["flat": .string(amount.wire)]
        case .percentage(let rate): ["percent": .string(rate.percent)]
        case .graduated(let bands): ["graduated": .array(bands.map(\.json))]
        case .volume(let bands): ["volume": .array(bands.map(\.json))]
        }
    }
}

extension FeeBand {
    fileprivate var json: JSON {
        var members: [JSON.Member] = []
        if let upTo { members.append(.init("up_to", .string(upTo.wire))) }
        members.append(.init("percent", .string(rate.percent)))
        if let flat { members.append(.init("flat", .string(flat.wire))) }
        return .object(members)
    }
}

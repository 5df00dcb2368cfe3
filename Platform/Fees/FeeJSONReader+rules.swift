import Kernel

extension FeeJSONReader {
    private static let ruleFields: Set<String> = [
        "rule", "category", "text", "terms", "minimum", "maximum", "cap_percent", "allowance", "tiers",
        "volume_discounts", "provider", "premium_option", "refundable",
    ]

    mutating func rules(_ node: Node?, _ asset: Asset) -> [FeeRule] {
        let nodes = elements(node, max: FeeSchedule.rulesMax) ?? []
        return nodes.compactMap { rule($0, asset) }
    }

    private mutating func rule(_ node: Node, _ asset: Asset) -> FeeRule? {
        guard isObject(node, of: FeeJSONReader.ruleFields) else { return nil }
        let code = text(required(node, "rule"))
        let category = value(required(node, "category"), "unknown_category") { FeeCategory(rawValue: $0) }
        let text = text(required(node, "text"))
        let terms = terms(required(node, "terms"), asset)
        let discounts = volumeDiscounts(optional(node, "volume_discounts"), asset)
        let rule = FeeRule(
            code ?? "",
            category ?? .platform,
            text ?? "",
            terms: terms,
            minimum: money(optional(node, "minimum"), asset),
            maximum: money(optional(node, "maximum"), asset),
            cap: rate(optional(node, "cap_percent")),
            allowance: allowance(optional(node, "allowance"), asset),
            tiers: tiers(optional(node, "tiers"), asset),
            volumeDiscounts: discounts,
            provider: self.text(optional(node, "provider")),
            premiumOption: self.text(optional(node, "premium_option")),
            isRefundable: bool(optional(node, "refundable")) ?? true
        )
        return rule
    }

    private mutating func terms(_ node: Node?, _ asset: Asset) -> [FeeTerm] {
        let nodes = elements(node, max: FeeRule.termsMax) ?? []
        return nodes.compactMap { term($0, asset) }
    }

    private mutating func term(_ node: Node, _ asset: Asset) -> FeeTerm? {
        guard isObject(node, of: ["flat", "percent", "graduated", "volume"]) else { return nil }
        guard case .object(let members) = node.json, members.count == 1 else {
            note(node.pointer, "needs_one_method")
            return nil
        }
        let member = Node(json: members[0].value, pointer: "\(node.pointer)/\(members[0].name)")
        switch members[0].name {
        case "flat": return money(member, asset).map { .flat($0) }
        case "percent": return rate(member).map { .percentage($0) }
        case "graduated": return .graduated(bands(member, asset))
        case "volume": return .volume(bands(member, asset))
        default: return nil
        }
    }

    private mutating func bands(_ node: Node, _ asset: Asset) -> [FeeBand] {
        let nodes = elements(node, max: FeeTerm.bandsMax) ?? []
        return nodes.compactMap { node in
            guard isObject(node, of: ["up_to", "percent", "flat"]) else { return nil }
            let upTo = money(optional(node, "up_to"), asset)
            guard let rate = rate(required(node, "percent")) else { return nil }
            return FeeBand(upTo: upTo, rate: rate, flat: money(optional(node, "flat"), asset))
        }
    }

    private mutating func allowance(_ node: Node?, _ asset: Asset) -> FeeAllowance? {
        guard let node, isObject(node, of: ["amount", "count"]) else { return nil }
        let (amount, count) = (optional(node, "amount"), optional(node, "count"))
        switch (amount, count) {
        case (let amount?, nil): return money(amount, asset).map { .amount($0) }
        case (nil, let count?): return integer(count).map { .count($0) }
        default:
            note(node.pointer, "needs_amount_or_count")
            return nil
        }
    }

    private mutating func tiers(_ node: Node?, _ asset: Asset) -> [FeeTier: FeeTierTerms] {
        let names = Set(FeeTier.allCases.map { String($0.rawValue) })
        guard let node, isObject(node, of: names) else { return [:] }
        var tiers: [FeeTier: FeeTierTerms] = [:]
        for tier in FeeTier.allCases {
            guard let member = optional(node, String(tier.rawValue)),
                isObject(member, of: ["discount_percent", "terms"])
            else { continue }
            switch (optional(member, "discount_percent"), optional(member, "terms")) {
            case (let discount?, nil): tiers[tier] = rate(discount).map { .discount($0) }
            case (nil, let own?): tiers[tier] = .terms(terms(own, asset))
            default: note(member.pointer, "needs_discount_or_terms")
            }
        }
        return tiers
    }

    private mutating func volumeDiscounts(_ node: Node?, _ asset: Asset) -> [FeeVolumeDiscount] {
        let nodes = elements(node, max: FeeRule.volumeDiscountsMax) ?? []
        return nodes.compactMap { node in
            guard isObject(node, of: ["from", "discount_percent"]) else { return nil }
            let from = money(required(node, "from"), asset)
            let discount = rate(required(node, "discount_percent"))
            guard let from, let discount else { return nil }
            return FeeVolumeDiscount(from: from, discount: discount)
        }
    }
}

public import Kernel

extension FeeLine {
    /// The line as JSON, in the asset of its amounts, which is told beside it.
    public var json: JSON {
        [
            "sequence": .integer(sequence), "category": .string(category.rawValue), "rule": .string(rule),
            "text": .string(text), "schedule": .string(schedule.wire), "version": .integer(version),
            "base": .string(base.wire), "rate": .string(rate), "raw": .string(raw), "amount": .string(amount.wire),
            "kind": .string(kind.rawValue), "bound": bound.map { .string($0.rawValue) } ?? .null,
            "allowance_taken": allowanceTaken?.json ?? .null, "refundable": .bool(isRefundable),
        ]
    }

    /// Reads what `json` writes.
    ///
    /// - Throws: `FeeQuoteError.invalid` for anything else.
    public init(json: JSON, asset: Asset) throws(FeeQuoteError) {
        var reader = FeeJSONReader()
        guard let line = reader.line(.init(json: json, pointer: ""), asset), reader.faults.isEmpty else {
            throw .invalid(reader.faults)
        }
        self = line
    }
}

extension FeeJSONReader {
    private static let lineFields: Set<String> = [
        "sequence", "category", "rule", "text", "schedule", "version", "base", "rate", "raw", "amount", "kind", "bound",
        "allowance_taken", "refundable",
    ]

    mutating func lines(_ node: Node?, _ asset: Asset) -> [FeeLine]? {
        guard let nodes = elements(node, max: FeeSchedule.rulesMax) else { return nil }
        return nodes.compactMap { line($0, asset) }
    }

    mutating func line(_ node: Node, _ asset: Asset) -> FeeLine? {
        guard isObject(node, of: FeeJSONReader.lineFields),
            let sequence = integer(required(node, "sequence")),
            let category = value(required(node, "category"), "unknown_category", parse: { FeeCategory(rawValue: $0) }),
            let rule = text(required(node, "rule")), let words = text(required(node, "text")),
            let schedule = value(required(node, "schedule"), "malformed", parse: { ID<FeeSchedule>(wire: $0) }),
            let version = integer(required(node, "version")), let base = money(required(node, "base"), asset),
            let rate = text(required(node, "rate")),
            let raw = value(
                required(node, "raw"),
                "malformed",
                parse: { ExactAmount(text: $0, asset) == nil ? nil : $0 }
            ),
            let amount = money(required(node, "amount"), asset),
            let kind = value(required(node, "kind"), "unknown_kind", parse: { FeeLine.Kind(rawValue: $0) }),
            let isRefundable = bool(required(node, "refundable"))
        else { return nil }
        let bound = value(optional(node, "bound"), "unknown_bound") { FeeLine.Bound(rawValue: $0) }
        let taken = optional(node, "allowance_taken").flatMap { usage($0, asset) }
        return FeeLine(
            sequence: sequence,
            category: category,
            rule: rule,
            text: words,
            schedule: schedule,
            version: version,
            base: base,
            rate: rate,
            raw: raw,
            amount: amount,
            kind: kind,
            bound: bound,
            allowanceTaken: taken,
            isRefundable: isRefundable
        )
    }

    mutating func usage(_ node: Node, _ asset: Asset) -> FeeUsage? {
        guard isObject(node, of: ["amount", "count"]), let amount = money(required(node, "amount"), asset),
            let count = integer(required(node, "count"))
        else { return nil }
        if count >= 0 { return FeeUsage(amount: amount, count: count) }
        note(node.pointer + "/count", "negative")
        return nil
    }

    mutating func context(_ node: Node?, _ asset: Asset) -> FeeContext? {
        let fields: Set = ["amount", "tier", "month_volume", "provider", "premium_options", "used"]
        guard let node, isObject(node, of: fields), let amount = money(required(node, "amount"), asset),
            let number = integer(required(node, "tier")), let volume = money(required(node, "month_volume"), asset),
            let options = elements(required(node, "premium_options"), max: FeeSchedule.rulesMax),
            let usages = required(node, "used")
        else { return nil }
        guard let tier = FeeTier(rawValue: number) else {
            note(node.pointer + "/tier", "unknown_tier")
            return nil
        }
        guard case .object(let members) = usages.json, members.count <= FeeSchedule.rulesMax else {
            note(usages.pointer, "wrong_type")
            return nil
        }
        var used: [String: FeeUsage] = [:]
        for member in members {
            used[member.name] = usage(Node(json: member.value, pointer: "\(usages.pointer)/\(member.name)"), asset)
        }
        let chosen = options.compactMap { text($0) }
        return FeeContext(
            amount: amount,
            tier: tier,
            monthVolume: volume,
            provider: text(optional(node, "provider")),
            premiumOptions: Set(chosen),
            used: used
        )
    }
}

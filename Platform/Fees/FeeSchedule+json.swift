public import Kernel

extension FeeSchedule {
    /// The schedule as JSON.
    public var json: JSON {
        [
            "id": .string(id.wire), "version": .integer(version), "operation": .string(operation),
            "asset": .string(asset.code), "effective_from": .string(effectiveFrom.description),
            "effective_to": effectiveTo.map { .string($0.description) } ?? .null, "allow_exceed": .bool(allowExceed),
            "rules": .array(rules.map(\.json)),
        ]
    }

    /// Reads what `json` writes; members that are unknown, missing, of the wrong type or against a rule are refused.
    ///
    /// - Throws: `FeeScheduleError.invalid` with everything that is wrong (first its form, then what it says).
    public init(json: JSON) throws(FeeScheduleError) {
        var reader = FeeJSONReader()
        let node = FeeJSONReader.Node(json: json, pointer: "")
        let fields: Set = [
            "id", "version", "operation", "asset", "effective_from", "effective_to", "allow_exceed", "rules",
        ]
        guard reader.isObject(node, of: fields) else { throw .invalid(reader.faults) }
        let id = reader.value(reader.required(node, "id"), "malformed") { ID<FeeSchedule>(wire: $0) }
        let version = reader.integer(reader.required(node, "version"))
        let operation = reader.text(reader.required(node, "operation"))
        let asset = reader.value(reader.required(node, "asset"), "unknown_asset") { Asset(code: $0) }
        let from = reader.value(reader.required(node, "effective_from"), "malformed") { Timestamp($0) }
        let to = reader.value(reader.optional(node, "effective_to"), "malformed") { Timestamp($0) }
        let allowExceed = reader.bool(reader.optional(node, "allow_exceed")) ?? false
        let rulesNode = reader.required(node, "rules")
        let rules = asset.map { reader.rules(rulesNode, $0) } ?? []
        guard reader.faults.isEmpty, let id, let version, let operation, let asset, let from else {
            throw .invalid(reader.faults)
        }
        try self.init(
            id: id,
            version: version,
            operation: operation,
            asset: asset,
            effectiveFrom: from,
            effectiveTo: to,
            allowExceed: allowExceed,
            rules: rules
        )
    }

    /// Reads an array of rules, as `json` writes it under `rules`; it is checked when it goes into a schedule.
    ///
    /// - Throws: `FeeScheduleError.invalid` with everything that is wrong with its form.
    public static func rules(json: JSON, asset: Asset) throws(FeeScheduleError) -> [FeeRule] {
        var reader = FeeJSONReader()
        let rules = reader.rules(FeeJSONReader.Node(json: json, pointer: "/rules"), asset)
        guard reader.faults.isEmpty else { throw .invalid(reader.faults) }
        return rules
    }
}

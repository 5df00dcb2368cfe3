public import Kernel

/// Why JSON is not a stored quote.
public enum FeeQuoteError: Error, Hashable, Sendable {
    /// The faults, each a JSON pointer and a stable word.
    case invalid([Problem.Fault])
}

extension FeeQuote {
    /// The whole quote as JSON, to be stored with the reservation or operation that it is pinned to.
    public var json: JSON {
        [
            "id": .string(id.wire), "schedule": .string(schedule.wire), "version": .integer(version),
            "operation": .string(operation), "asset": .string(total.asset.code), "context": context.json,
            "lines": .array(lines.map(\.json)), "total": .string(total.wire),
            "quoted_at": .string(quotedAt.description), "expires_at": .string(expiresAt.description),
        ]
    }

    /// Reads what `json` writes.
    ///
    /// - Throws: `FeeQuoteError.invalid` for anything else.
    public init(json: JSON) throws(FeeQuoteError) {
        var reader = FeeJSONReader()
        let node = FeeJSONReader.Node(json: json, pointer: "")
        let fields: Set = [
            "id", "schedule", "version", "operation", "asset", "context", "lines", "total", "quoted_at", "expires_at",
        ]
        guard reader.isObject(node, of: fields),
            let asset = reader.value(reader.required(node, "asset"), "unknown_asset", parse: { Asset(code: $0) }),
            let id = reader.value(reader.required(node, "id"), "malformed", parse: { ID<FeeQuote>(wire: $0) }),
            let schedule = reader.value(
                reader.required(node, "schedule"),
                "malformed",
                parse: { ID<FeeSchedule>(wire: $0) }
            ),
            let version = reader.integer(reader.required(node, "version")),
            let operation = reader.text(reader.required(node, "operation")),
            let context = reader.context(reader.required(node, "context"), asset),
            let lines = reader.lines(reader.required(node, "lines"), asset),
            let total = reader.money(reader.required(node, "total"), asset),
            let quotedAt = reader.value(reader.required(node, "quoted_at"), "malformed", parse: { Timestamp($0) }),
            let expiresAt = reader.value(reader.required(node, "expires_at"), "malformed", parse: { Timestamp($0) }),
            reader.faults.isEmpty
        else { throw .invalid(reader.faults) }
        self.init(
            id: id,
            schedule: schedule,
            version: version,
            operation: operation,
            context: context,
            lines: lines,
            total: total,
            quotedAt: quotedAt,
            expiresAt: expiresAt
        )
    }
}

extension FeeContext {
    /// The context as JSON, in the asset of its amount, which is told beside it.
    public var json: JSON {
        let usages = used.sorted { $0.key < $1.key }.map { JSON.Member($0.key, $0.value.json) }
        return [
            "amount": .string(amount.wire), "tier": .integer(tier.rawValue), "month_volume": .string(monthVolume.wire),
            "provider": provider.map { .string($0) } ?? .null,
            "premium_options": .array(premiumOptions.sorted().map { .string($0) }), "used": .object(usages),
        ]
    }

    /// Reads what `json` writes.
    ///
    /// - Throws: `FeeQuoteError.invalid` for anything else.
    public init(json: JSON, asset: Asset) throws(FeeQuoteError) {
        var reader = FeeJSONReader()
        guard let context = reader.context(.init(json: json, pointer: ""), asset), reader.faults.isEmpty else {
            throw .invalid(reader.faults)
        }
        self = context
    }
}

extension FeeUsage {
    /// The usage as JSON, in the asset of its amount.
    public var json: JSON { ["amount": .string(amount.wire), "count": .integer(count)] }
}

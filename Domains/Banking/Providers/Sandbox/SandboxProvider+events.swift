import Kernel

extension SandboxProvider: WebhookReader {
    func envelope(_ body: JSON) throws(ProviderEventError) -> WebhookEnvelope {
        let event = ProviderBody(body)
        guard try event.text("mode") == "sandbox" else { throw .wrongMode }
        return try WebhookEnvelope(
            eventID: try event.text("id"),
            type: try event.text("type"),
            objectID: try event.object("data").text("object")
        )
    }

    func event(_ body: JSON) throws(ProviderEventError) -> ProviderEvent {
        let envelope = try envelope(body)
        let event = ProviderBody(body)
        let data = try event.object("data")
        guard let asset = Asset(code: try data.text("asset")) else { throw data.fault("asset") }
        let state = envelope.type.split(separator: ".").last.flatMap { ProviderEvent.State(rawValue: String($0)) }
        return ProviderEvent(
            id: envelope.eventID,
            type: envelope.type,
            objectID: try data.text("object"),
            state: state ?? .other,
            occurredAt: try event.instant("happened_at"),
            transaction: ProviderBody.transaction(data.optionalText("transaction")),
            amount: try SandboxProvider.money(data, "amount", asset),
            actualFee: data.optionalText("fee") == nil ? nil : try SandboxProvider.money(data, "fee", asset),
            reason: data.optionalText("reason"),
            part: data.optionalText("refund")
        )
    }

    private static func money(_ data: ProviderBody, _ name: String, _ asset: Asset) throws(ProviderEventError) -> Money
    {
        guard let money = try? Money(wire: try data.text(name), asset) else { throw data.fault(name) }
        return money
    }

    /// The body of an event.
    static func body(_ event: ID<SandboxEvent>, _ step: SandboxStep, of object: SandboxObject) -> JSON {
        let happenedAt = object.createdAt.adding(milliseconds: step.happensAfter)
        let amount = Money(minorUnits: object.amount.minorUnits * step.percent / 100, object.amount.asset)
        let fee = step.state == .succeeded && object.kind == .deposit ? actualFee(of: object.amount).wire : nil
        return [
            "id": .string(event.wire), "type": .string("\(object.kind.rawValue).\(step.state.rawValue)"),
            "mode": "sandbox", "happened_at": .string(happenedAt.description),
            "data": [
                "object": .string(object.reference.wire), "transaction": .string(object.transaction.wire),
                "asset": .string(object.amount.asset.code), "amount": .string(amount.wire),
                "fee": fee.map(JSON.string) ?? .null, "reason": step.reason.map(JSON.string) ?? .null,
                "refund": object.kind == .refund ? .string(object.id.wire) : .null,
            ],
        ]
    }

    /// What the simulated provider keeps of a deposit: 2.9 % and 28 hundredths of a unit, a little less than is
    /// estimated.
    static func actualFee(of amount: Money) -> Money {
        let hundredths = (2..<max(amount.asset.scale, 2)).reduce(Int128(28)) { result, _ in result * 10 }
        let share = Rate(partsPerBillion: 29_000_000).of(amount.minorUnits, rounding: .halfEven)
        return Money(minorUnits: min(share + hundredths, amount.minorUnits), amount.asset)
    }
}

import Kernel

extension MoonPayProvider: WebhookReader {
    /// MoonPay's events have no ids, so the purchase, the type, the state and its time stand for one.
    ///
    /// A poll that finds the same state finds the same event.
    func envelope(_ body: JSON) throws(ProviderEventError) -> WebhookEnvelope {
        let event = ProviderBody(body)
        let type = try event.text("type")
        if type == "query" {
            return try WebhookEnvelope(eventID: "query." + (try event.text("id")), type: type, objectID: nil)
        }
        let data = try event.object("data")
        let id = try data.text("id")
        let words = [id, type, data.optionalText("status") ?? "-", MoonPayProvider.changedAt(data) ?? "-"]
        return try WebhookEnvelope(
            eventID: words.joined(separator: "."),
            type: type,
            objectID: MoonPayProvider.objectID(data, id)
        )
    }

    func event(_ body: JSON) throws(ProviderEventError) -> ProviderEvent {
        let envelope = try envelope(body)
        let data = try ProviderBody(body).object("data")
        guard envelope.type.hasPrefix("transaction_") else {
            return ProviderEvent(
                id: envelope.eventID,
                type: envelope.type,
                objectID: envelope.objectID ?? envelope.type,
                state: .other,
                occurredAt: MoonPayProvider.changedAt(data).flatMap { Timestamp($0) } ?? Timestamp(seconds: 0),
                transaction: nil,
                amount: nil,
                actualFee: nil,
                reason: nil
            )
        }
        guard let occurredAt = MoonPayProvider.changedAt(data).flatMap({ Timestamp($0) }) else {
            throw data.fault("updatedAt")
        }
        let state = MoonPayProvider.state(try data.text("status"))
        return ProviderEvent(
            id: envelope.eventID,
            type: envelope.type,
            objectID: envelope.objectID ?? envelope.eventID,
            state: state,
            occurredAt: occurredAt,
            transaction: ProviderBody.transaction(data.optionalText("externalTransactionId")),
            amount: try MoonPayProvider.amount(data, state),
            actualFee: nil,
            reason: state == .failed ? data.optionalText("failureReason") ?? "failed" : nil,
            purchase: try data.text("id")
        )
    }

    /// Our id, if the purchase has one, else MoonPay's.
    private static func objectID(_ data: ProviderBody, _ id: String) -> String {
        ProviderBody.transaction(data.optionalText("externalTransactionId"))?.wire ?? id
    }

    private static func changedAt(_ data: ProviderBody) -> String? {
        data.optionalText("updatedAt") ?? data.optionalText("createdAt")
    }

    // https://dev.moonpay.com/reference/reference-webhooks-buy
    private static func state(_ status: String) -> ProviderEvent.State {
        switch status {
        case "waitingPayment", "waitingAuthorization": .confirming
        case "pending": .processing
        case "completed": .succeeded
        case "failed": .failed
        default: .other
        }
    }

    /// What is bought; nil for an asset that is none of ours.
    private static func amount(_ data: ProviderBody, _ state: ProviderEvent.State) throws(ProviderEventError) -> Money?
    {
        // A code may have the chain behind it: `usdc_polygon`.
        guard let code = data.json["currency"]?["code"]?.stringValue?.split(separator: "_").first,
            let asset = Asset(code: code.uppercased())
        else { return nil }
        guard let minorUnits = ProviderNumber.minorUnits(data.json["quoteCurrencyAmount"], scale: asset.scale) else {
            // Before the purchase is priced there is no amount.
            guard state == .succeeded else { return nil }
            throw data.fault("quoteCurrencyAmount")
        }
        return Money(minorUnits: minorUnits, asset)
    }
}

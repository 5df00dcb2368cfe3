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
        let isSale = envelope.type.hasPrefix("sell_transaction_")
        guard isSale || envelope.type.hasPrefix("transaction_") else {
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
        let (asset, amount) =
            isSale ? ("baseCurrency", "baseCurrencyAmount") : ("currency", "quoteCurrencyAmount")
        return ProviderEvent(
            id: envelope.eventID,
            type: envelope.type,
            objectID: envelope.objectID ?? envelope.eventID,
            state: state,
            occurredAt: occurredAt,
            transaction: ProviderBody.transaction(data.optionalText("externalTransactionId")),
            amount: try MoonPayProvider.amount(data, state, asset, amount),
            actualFee: nil,
            reason: state == .failed ? data.optionalText("failureReason") ?? "failed" : nil,
            purchase: try data.text("id"),
            chainHash: data.optionalText(isSale ? "depositHash" : "cryptoTransactionId")
        )
    }

    /// Our id, if the purchase has one, else MoonPay's.
    private static func objectID(_ data: ProviderBody, _ id: String) -> String {
        ProviderBody.transaction(data.optionalText("externalTransactionId"))?.wire ?? id
    }

    private static func changedAt(_ data: ProviderBody) -> String? {
        data.optionalText("updatedAt") ?? data.optionalText("createdAt")
    }

    // https://dev.moonpay.com/reference/reference-webhooks-buy, …/reference-webhooks-sell
    private static func state(_ status: String) -> ProviderEvent.State {
        switch status {
        case "waitingPayment", "waitingAuthorization", "waitingForDeposit": .confirming
        case "pending": .processing
        case "completed": .succeeded
        case "failed": .failed
        default: .other
        }
    }

    /// What is bought or sold; nil for an asset that is none of ours.
    private static func amount(
        _ data: ProviderBody,
        _ state: ProviderEvent.State,
        _ assetName: String,
        _ amountName: String
    ) throws(ProviderEventError) -> Money? {
        // A code may have the chain behind it: `usdc_polygon`.
        guard let code = data.json[assetName]?["code"]?.stringValue?.split(separator: "_").first,
            let asset = Asset(code: code.uppercased())
        else { return nil }
        guard let minorUnits = ProviderNumber.minorUnits(data.json[amountName], scale: asset.scale) else {
            // Before the purchase is priced there is no amount.
            guard state == .succeeded else { return nil }
            throw data.fault(amountName)
        }
        return Money(minorUnits: minorUnits, asset)
    }
}

import Kernel

extension RampProvider: WebhookReader {
    /// Where a polled body has the transaction that a webhook has in its path.
    static let intentMember = "intent"

    /// The id of newer bodies; of older ones the purchase and what happened to it, which happens once.
    func envelope(_ body: JSON) throws(ProviderEventError) -> WebhookEnvelope {
        let event = ProviderBody(body)
        let (type, trade) = (try event.text("type"), try RampProvider.trade(event))
        let tradeID = try trade.text("id")
        let intent = ProviderBody.transaction(event.optionalText(RampProvider.intentMember))
        return try WebhookEnvelope(
            eventID: event.optionalText("id") ?? "\(tradeID).\(type)",
            type: type,
            objectID: intent?.wire ?? tradeID
        )
    }

    /// Understands an event of buying (`purchase`) or selling (`payload`).
    ///
    /// The transaction is the webhook's path's to tell; only a polled body has it inside.
    func event(_ body: JSON) throws(ProviderEventError) -> ProviderEvent {
        let envelope = try envelope(body)
        let event = ProviderBody(body)
        let trade = try RampProvider.trade(event)
        let state = RampProvider.state(envelope.type)
        return ProviderEvent(
            id: envelope.eventID,
            type: envelope.type,
            objectID: envelope.objectID ?? envelope.eventID,
            state: state,
            occurredAt: try RampProvider.occurredAt(trade),
            transaction: ProviderBody.transaction(event.optionalText(RampProvider.intentMember)),
            amount: try RampProvider.amount(trade, state),
            actualFee: nil,
            reason: state == .failed ? envelope.type.lowercased() : nil,
            purchase: try trade.text("id"),
            chainHash: trade.optionalText("finalTxHash")
        )
    }

    private static func trade(_ event: ProviderBody) throws(ProviderEventError) -> ProviderBody {
        event.json["mode"]?.stringValue == "OFFRAMP" ? try event.object("payload") : try event.object("purchase")
    }

    private static func state(_ type: String) -> ProviderEvent.State {
        switch type {
        case "CREATED": .processing
        case "RELEASED": .succeeded
        case "RETURNED", "EXPIRED": .failed
        default: .other
        }
    }

    /// The type of the webhook that a status would have come by; nil for those that none comes by.
    static func type(ofStatus status: String) -> String? {
        switch status {
        case "INITIALIZED", "PAYMENT_STARTED", "PAYMENT_IN_PROGRESS", "FIAT_SENT", "FIAT_RECEIVED", "RELEASING":
            "CREATED"
        case "RELEASED": "RELEASED"
        case "RETURNED", "CANCELLED", "PAYMENT_FAILED", "REVIEW_REJECTED": "RETURNED"
        case "EXPIRED": "EXPIRED"
        default: nil
        }
    }

    /// The last that happened to it, by its list of actions, its own members else.
    private static func occurredAt(_ trade: ProviderBody) throws(ProviderEventError) -> Timestamp {
        let actions = trade.json["actions"]?.elements ?? []
        let times = actions.compactMap { $0["timestamp"]?.stringValue.flatMap { Timestamp($0) } }
        let own = ["updatedAt", "createdAt"].compactMap { trade.optionalText($0).flatMap { Timestamp($0) } }
        guard let latest = (times + own).max() else { throw trade.fault("updatedAt") }
        return latest
    }

    /// What is bought, an integer in the smallest unit as text; nil for an asset that is none of ours.
    private static func amount(_ trade: ProviderBody, _ state: ProviderEvent.State) throws(ProviderEventError) -> Money?
    {
        guard let description = trade.json["asset"], let symbol = description["symbol"]?.stringValue,
            let asset = Asset(code: symbol)
        else { return nil }
        guard let decimals = description["decimals"]?.integerValue, decimals == asset.scale,
            let text = trade.json["cryptoAmount"]?.stringValue, let minorUnits = try? DecimalText.parse(text, scale: 0)
        else {
            guard state == .succeeded else { return nil }
            throw trade.fault("cryptoAmount")
        }
        return Money(minorUnits: minorUnits, asset)
    }
}

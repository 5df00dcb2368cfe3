import Kernel

extension StripeProvider: WebhookReader {
    func envelope(_ body: JSON) throws(ProviderEventError) -> WebhookEnvelope {
        let event = try StripeEvent(body, isLive: client.isLive)
        return try WebhookEnvelope(eventID: event.id, type: event.type, objectID: event.objectID)
    }

    /// Understands an event of API version 1.
    ///
    /// Thin events (`v2.core.event`) are refused: their object has to be fetched, and their signed body says nothing.
    func event(_ body: JSON) throws(ProviderEventError) -> ProviderEvent {
        let event = try StripeEvent(body, isLive: client.isLive)
        let meaning = try event.meaning()
        let metadata = event.object.json["metadata"]
        return ProviderEvent(
            id: event.id,
            type: event.type,
            objectID: event.objectID,
            state: meaning.state,
            occurredAt: event.created,
            transaction: ProviderBody.transaction(metadata?[StripeMetadata.transaction]?.stringValue),
            amount: meaning.amount,
            actualFee: event.actualFee,
            reason: meaning.reason,
            part: meaning.part
        )
    }
}

/// An event of Stripe's, read as far as all events are alike.
struct StripeEvent: Sendable {
    let id: String
    let type: String
    let created: Timestamp
    let object: ProviderBody

    init(_ body: JSON, isLive: Bool) throws(ProviderEventError) {
        let event = ProviderBody(body)
        guard try event.text("object") == "event" else { throw event.fault("object") }
        guard let mode = body["livemode"]?.boolValue else { throw event.fault("livemode") }
        guard mode == isLive else { throw .wrongMode }
        (id, type) = (try event.text("id"), try event.text("type"))
        created = Timestamp(seconds: Int64(try event.integer("created")))
        object = try event.object("data").object("object")
    }

    /// The payment intent that it is about, by which we know the payment; else the object itself.
    var objectID: String {
        let intent = object.json["payment_intent"]
        // An expanded member is the object in the id's place.
        return intent?.stringValue ?? intent?["id"]?.stringValue ?? object.optionalText("id") ?? type
    }

    /// What Stripe keeps of it, where the charge and its balance transaction are in the body.
    var actualFee: Money? {
        let charge = object.json["latest_charge"] ?? object.json
        let balance = charge["balance_transaction"]
        guard let fee = balance?["fee"]?.integerValue, let currency = balance?["currency"]?.stringValue else {
            return nil
        }
        return StripeAmount.money(fee, currency: currency)
    }

    /// What an event says, in our words.
    struct Meaning: Sendable, Hashable {
        let state: ProviderEvent.State
        let amount: Money?
        let reason: String?
        var part: String?
    }

    func meaning() throws(ProviderEventError) -> Meaning {
        switch type {
        case "payment_intent.succeeded":
            return Meaning(state: .succeeded, amount: try amount("amount_received", or: "amount"), reason: nil)
        case "payment_intent.processing": return Meaning(state: .processing, amount: try amount("amount"), reason: nil)
        case "payment_intent.requires_action":
            return Meaning(state: .confirming, amount: try amount("amount"), reason: nil)
        case "payment_intent.canceled":
            let reason = object.optionalText("cancellation_reason") ?? "canceled"
            return Meaning(state: .failed, amount: try amount("amount"), reason: reason)
        case "payment_intent.payment_failed": return try failedPayment()
        case "charge.refunded": return try refundedCharge()
        case "refund.created", "refund.updated", "charge.refund.updated": return try refund()
        case "charge.dispute.created":
            return Meaning(
                state: .disputed,
                amount: try amount("amount"),
                reason: object.optionalText("reason"),
                part: object.optionalText("id")
            )
        default: return Meaning(state: .other, amount: nil, reason: nil)
        }
    }

    /// A card was refused.
    ///
    /// A customer who has the client secret may try another one, so that only for a card that we charge ourselves it is
    /// the end.
    private func failedPayment() throws(ProviderEventError) -> Meaning {
        let error = object.json["last_payment_error"]
        let code = error?["decline_code"]?.stringValue ?? error?["code"]?.stringValue ?? "card_declined"
        let flow = object.json["metadata"]?[StripeMetadata.flow]?.stringValue
        let state: ProviderEvent.State = flow == StripeMetadata.customer ? .confirming : .failed
        return Meaning(state: state, amount: try amount("amount"), reason: code)
    }

    /// A charge was given back: the event says how much of it so far, all refunds together.
    private func refundedCharge() throws(ProviderEventError) -> Meaning {
        Meaning(state: .refunded, amount: try amount("amount_refunded"), reason: nil)
    }

    /// A refund of ours; one made elsewhere counts by its charge, which knows how much is left.
    private func refund() throws(ProviderEventError) -> Meaning {
        let isOurs = object.json["metadata"]?[StripeMetadata.key] != nil
        let refunded = try amount("amount")
        guard isOurs, object.json["status"]?.stringValue == "succeeded" else {
            return Meaning(state: .other, amount: refunded, reason: object.optionalText("failure_reason"))
        }
        return Meaning(state: .refunded, amount: refunded, reason: nil, part: object.optionalText("id"))
    }

    /// An amount; nil in a currency that is none of ours, which nothing of ours can be in.
    private func amount(_ name: String, or other: String? = nil) throws(ProviderEventError) -> Money? {
        let name = object.json[name] == nil ? other ?? name : name
        let money = StripeAmount.money(try object.integer(name), currency: try object.text("currency"))
        guard money != nil || object.json["metadata"]?[StripeMetadata.transaction] == nil else {
            throw object.fault("currency")
        }
        return money
    }
}

import Kernel

extension StripeProvider {
    /// Gives a payment back, or a part of it; never more than was paid, with all refunds so far.
    ///
    /// Stripe refuses to give back more than there is; other peers don't, so it is looked at here. Two refunds of one
    /// payment at the same instant would both be let through here: a transaction has one step that refunds.
    func refund(_ intent: ProviderIntent, of reference: String) async -> ProviderAnswer {
        guard reference.hasPrefix("pi_"), StripeID.isOne(reference) else {
            return .refused(reason: "unknown_reference")
        }
        guard let wire = StripeAmount.wire(intent.amount) else { return .refused(reason: "not_supported") }
        let begun = ContinuousClock.now
        let paid: Int
        switch await client.get("/v1/payment_intents/\(reference)") {
        case .object(let object):
            guard object["status"]?.stringValue == "succeeded" else { return .refused(reason: "not_paid") }
            guard object["currency"]?.stringValue == wire.currency else { return .refused(reason: "other_currency") }
            guard let amount = (object["amount_received"] ?? object["amount"])?.integerValue else {
                return .unknown("a payment intent without an amount")
            }
            paid = amount
        case .refused(let code): return .refused(reason: code)
        case let reply: return ProviderAnswer(failed: reply)
        }
        var given: Int128 = 0
        switch await refunds(of: reference) {
        case .failure(let failure): return ProviderAnswer(failed: failure.reply)
        case .success(let refunds):
            if let own = own(refunds, intent) { return answer(refund: own) }
            for refund in refunds where !StripeProvider.isVoid(refund) {
                given += Int128(refund["amount"]?.integerValue ?? 0)
            }
        }
        guard given + wire.amount <= Int128(paid) else { return .refused(reason: "exceeds_payment") }
        guard StripeProvider.isFresh(begun) else { return .unavailable("reading the refunds took too long") }
        return await createRefund(intent, of: reference, wire.amount)
    }

    private func createRefund(_ intent: ProviderIntent, of reference: String, _ amount: Int128) async -> ProviderAnswer
    {
        var form = StripeForm()
        form.add("payment_intent", reference)
        form.add("amount", String(amount))
        form.add(["metadata", StripeMetadata.transaction], intent.transaction.wire)
        form.add(["metadata", StripeMetadata.key], intent.idempotencyKey)
        let reply = await client.post("/v1/refunds", form, idempotencyKey: intent.idempotencyKey)
        switch reply {
        case .object(let refund): return answer(refund: refund)
        case .refused(let code), .cardRefused(let code, _): return .refused(reason: code)
        case .notAllowed, .notSent: return ProviderAnswer(failed: reply)
        case .unclear(let why):
            guard case .success(let refunds) = await refunds(of: reference), let own = own(refunds, intent) else {
                return .unknown(why)
            }
            return answer(refund: own)
        }
    }

    private func refunds(of reference: String) async -> Result<[JSON], StripeLookupFailure> {
        var query = StripeForm()
        query.add("payment_intent", reference)
        return await StripeLists(client: client).all("/v1/refunds", query)
    }

    private func own(_ refunds: [JSON], _ intent: ProviderIntent) -> JSON? {
        refunds.first { $0["metadata"]?[StripeMetadata.key]?.stringValue == intent.idempotencyKey }
    }

    private func answer(refund: JSON) -> ProviderAnswer {
        guard let id = refund["id"]?.stringValue else { return .unknown("a refund without an id") }
        guard !StripeProvider.isVoid(refund) else {
            return .refused(reason: refund["failure_reason"]?.stringValue ?? "refund_failed")
        }
        return .accepted(reference: id, action: nil)
    }

    /// Whether a refund gives nothing back.
    private static func isVoid(_ refund: JSON) -> Bool {
        ["failed", "canceled"].contains(refund["status"]?.stringValue ?? "")
    }
}

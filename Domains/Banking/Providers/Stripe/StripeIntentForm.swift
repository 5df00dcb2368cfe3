import Kernel

/// Names in the metadata of objects that we make at Stripe.
enum StripeMetadata {
    /// The transaction's wire id.
    static let transaction = "tx"
    /// The idempotency key of the step, where a transaction can have several objects of a kind.
    static let key = "key"
    /// Who can pay: `linked` for a card that we charge, `customer` for one who may try one card after the other.
    static let flow = "flow"
    static let linked = "linked"
    static let customer = "customer"
}

/// Ids of Stripe's, which stand in paths.
enum StripeID {
    private static let bytesMax = 255

    /// Whether a text can be an id: a prefix, an underscore, letters and digits.
    static func isOne(_ text: String) -> Bool {
        text.utf8.count <= bytesMax && text.utf8.contains(UInt8(ascii: "_"))
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

/// The request for a payment intent.
enum StripeIntentForm {
    /// The form; nil for an asset that Stripe doesn't take or a token that isn't one of a card's.
    ///
    /// A token is a payment method (`pm_…`), or the customer that it is attached to and the payment method
    /// (`cus_…/pm_…`).
    static func make(_ intent: ProviderIntent) -> StripeForm? {
        guard let wire = StripeAmount.wire(intent.amount) else { return nil }
        var form = StripeForm()
        form.add("amount", String(wire.amount))
        form.add("currency", wire.currency)
        form.add(["metadata", StripeMetadata.transaction], intent.transaction.wire)
        form.add(["metadata", StripeMetadata.key], intent.idempotencyKey)
        guard let token = intent.token else {
            form.add(["metadata", StripeMetadata.flow], StripeMetadata.customer)
            return form
        }
        form.add(["metadata", StripeMetadata.flow], StripeMetadata.linked)
        var ids = token.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let method = ids.popLast(), method.hasPrefix("pm_"), StripeID.isOne(method), ids.count <= 1 else {
            return nil
        }
        if let customer = ids.first {
            guard customer.hasPrefix("cus_"), StripeID.isOne(customer) else { return nil }
            form.add("customer", customer)
        }
        form.add("payment_method", method)
        form.add(["payment_method_types", "0"], "card")
        form.add("confirm", "true")
        return form
    }
}

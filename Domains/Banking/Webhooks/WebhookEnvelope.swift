import Kernel

/// The little that has to be known of a webhook before it is kept.
struct WebhookEnvelope: Sendable, Hashable {
    /// The longest of its texts in bytes; ids of providers are far shorter.
    static let textBytesMax = 255

    /// The provider's id of the event, or what stands for one; the same however often the event is sent.
    let eventID: String
    /// The provider's name for what happened.
    let type: String
    /// The provider's id of what it is about; nil for events that are about nothing that we know of.
    let objectID: String?

    /// - Throws: `malformed` with the part that is empty, too long or has U+0000.
    init(eventID: String, type: String, objectID: String?) throws(ProviderEventError) {
        for (name, text) in [("id", eventID), ("type", type), ("object", objectID ?? "-")] {
            guard (1...WebhookEnvelope.textBytesMax).contains(text.utf8.count), !text.utf8.contains(0) else {
                throw .malformed(name)
            }
        }
        (self.eventID, self.type, self.objectID) = (eventID, type, objectID)
    }
}

/// Finds the envelope in a provider's body.
///
/// It is content with less than `PaymentProvider.event`: an event that nobody understands is kept all the same, and an
/// operator looks at it.
protocol WebhookReader: Sendable {
    /// - Throws: `malformed` where there is no id or type, `wrongMode` where the event is none of ours.
    func envelope(_ body: JSON) throws(ProviderEventError) -> WebhookEnvelope
}

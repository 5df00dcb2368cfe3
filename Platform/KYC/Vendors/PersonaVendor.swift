import Kernel
import Webhooks

/// Persona's inquiries (https://docs.withpersona.com/webhooks): events about an object, as JSON:API documents.
struct PersonaVendor: IdentityVendor {
    var name: String { "persona" }
    var signature: WebhookProvider { .persona }
    var signatureHeaders: [String] { ["persona-signature"] }

    func event(_ body: JSON) throws(VendorFault) -> VendorEvent {
        let type = try body.text("data", "attributes", "name")
        let outcome: VendorEvent.Outcome =
            switch type {
            case "inquiry.approved": .approved
            case "inquiry.declined": .rejected("declined by persona")
            case "inquiry.failed", "inquiry.expired": .insufficient(type)
            case "inquiry.marked-for-review": .unclear("persona asks for a review")
            default: .step
            }
        return try VendorEvent(
            id: try body.text("data", "id"),
            type: type,
            at: try body.instant("data", "attributes", "created-at"),
            reference: try? body.text("data", "attributes", "payload", "data", "attributes", "reference-id"),
            outcome: outcome
        )
    }
}

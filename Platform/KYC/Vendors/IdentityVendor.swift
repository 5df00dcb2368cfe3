import Kernel
import Webhooks

/// The port to a company that checks identities: customers show their documents there, we are told what came of it.
///
/// The app starts the vendor's own dialogue with the application's id as its reference; a vendor tells by webhook.
protocol IdentityVendor: Sendable {
    /// Its name in paths, in the inbox and with applications: `persona`.
    var name: String { get }
    /// How it signs its webhooks.
    var signature: WebhookProvider { get }
    /// The headers that it signs with, in lower case; they are kept beside the body as evidence.
    var signatureHeaders: [String] { get }

    /// What a webhook says.
    ///
    /// - Throws: `VendorFault` for a body that isn't of the vendor's form.
    func event(_ body: JSON) throws(VendorFault) -> VendorEvent
}

/// A member of a vendor's webhook that is missing or of another form.
struct VendorFault: Error, Hashable {
    let member: String
}

/// What a vendor tells of an application.
struct VendorEvent: Sendable, Hashable {
    enum Outcome: Sendable, Hashable {
        /// The customer is who they say they are.
        case approved
        /// Better documents are needed.
        case insufficient(String)
        /// The customer isn't, or is nobody to be served.
        case rejected(String)
        /// The vendor's machine can't tell: a person has to.
        case unclear(String)
        /// Nothing that matters to us: a step of the dialogue.
        case step
    }

    /// The vendor's id of the event, the same however often it is sent.
    let id: String
    /// The vendor's name for what happened.
    let type: String
    /// When it happened, by the vendor's clock: its events come in any order.
    let at: Timestamp
    /// The reference that the dialogue was started with: the application's id; nil for one that isn't ours.
    let reference: String?
    let outcome: Outcome

    /// The longest of its texts in bytes.
    static let textBytesMax = 255

    /// - Throws: `VendorFault` for a text that is empty, too long or has U+0000.
    init(id: String, type: String, at: Timestamp, reference: String?, outcome: Outcome) throws(VendorFault) {
        for (name, text) in [("id", id), ("type", type), ("reference", reference)] {
            guard let text else { continue }
            guard (1...VendorEvent.textBytesMax).contains(text.utf8.count), !text.utf8.contains(0) else {
                throw VendorFault(member: name)
            }
        }
        (self.id, self.type, self.at) = (id, type, at)
        (self.reference, self.outcome) = (reference, outcome)
    }
}

extension JSON {
    /// The text at a path of members.
    func text(_ path: String...) throws(VendorFault) -> String {
        var value: JSON? = self
        for name in path { value = value?[name] }
        guard let text = value?.stringValue else { throw VendorFault(member: path.joined(separator: ".")) }
        return text
    }

    /// The instant at a path of members: RFC 3339, or a day and a time in UTC with a space between them.
    func instant(_ path: String...) throws(VendorFault) -> Timestamp {
        var value: JSON? = self
        for name in path { value = value?[name] }
        let text = value?.stringValue ?? ""
        guard let at = Timestamp(text) ?? Timestamp(text.replacing(" ", with: "T") + "Z") else {
            throw VendorFault(member: path.joined(separator: "."))
        }
        return at
    }
}

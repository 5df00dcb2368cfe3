import Kernel
import Messaging

/// What the two domains of a transfer tell each other.
struct TransferMessage: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// The source has debited the customer.
        case sent
        /// The target has credited the customer.
        case received
        /// The target won't.
        case refused(reason: String)
    }

    /// Why an event is no such message.
    enum Fault: Error, Hashable {
        case notJSON
        case badEnvelope(CloudEventError)
        case unknownType(String)
        case badMember(String)
        case wrongSource(String)
    }

    let kind: Kind
    let transfer: ID<DomainTransfer>
    let user: ID<User>
    let amount: Money
    /// The schema that it leaves.
    let from: String
    /// The schema that it goes to.
    let to: String

    /// The event types of a schema, without version.
    static func types(of schema: String) -> Set<String> {
        Set(["sent", "received", "refused"].map { "\(schema).transfer.\($0)" })
    }

    /// The type of its event, which belongs to the side that sends it.
    var type: String {
        switch kind {
        case .sent: "\(from).transfer.sent"
        case .received: "\(to).transfer.received"
        case .refused: "\(to).transfer.refused"
        }
    }

    /// The event's payload.
    var payload: JSON {
        var members: [JSON.Member] = [
            .init("transfer", .string(transfer.wire)), .init("user", .string(user.wire)), .init("from", .string(from)),
            .init("to", .string(to)), .init("asset", .string(amount.asset.code)), .init("amount", .string(amount.wire)),
        ]
        if case .refused(let reason) = kind { members.append(.init("reason", .string(reason))) }
        return .object(members)
    }
}

extension TransferMessage {
    /// A message with the envelope that it came in.
    struct Envelope: Sendable {
        let message: TransferMessage
        let cloud: CloudEvent
    }

    /// Reads an event of the inbox; who sent it must be the side that it belongs to.
    static func read(_ event: InboxEvent) throws(Fault) -> Envelope {
        let json: JSON
        do { json = try JSON.parse(event.body) } catch { throw .notJSON }
        let cloud: CloudEvent
        do { cloud = try CloudEvent(json: json) } catch { throw .badEnvelope(error) }
        let data = cloud.data
        guard let transfer = data["transfer"]?.stringValue.flatMap({ ID<DomainTransfer>(wire: $0) }) else {
            throw .badMember("transfer")
        }
        guard let user = data["user"]?.stringValue.flatMap({ ID<User>(wire: $0) }) else { throw .badMember("user") }
        guard let from = data["from"]?.stringValue else { throw .badMember("from") }
        guard let to = data["to"]?.stringValue else { throw .badMember("to") }
        guard let asset = data["asset"]?.stringValue.flatMap({ Asset(code: $0) }) else { throw .badMember("asset") }
        guard let amount = try? Money(wire: data["amount"]?.stringValue ?? "", asset), amount.minorUnits > 0 else {
            throw .badMember("amount")
        }
        let (kind, sender): (Kind, String)
        // The last part of the type is its version: `banking.transfer.sent.v1`.
        switch cloud.type.split(separator: ".").dropLast().last {
        case "sent": (kind, sender) = (.sent, from)
        case "received": (kind, sender) = (.received, to)
        case "refused": (kind, sender) = (.refused(reason: data["reason"]?.stringValue ?? "refused"), to)
        default: throw .unknownType(cloud.type)
        }
        guard sender == event.source else { throw .wrongSource(event.source) }
        let message = TransferMessage(kind: kind, transfer: transfer, user: user, amount: amount, from: from, to: to)
        return Envelope(message: message, cloud: cloud)
    }
}

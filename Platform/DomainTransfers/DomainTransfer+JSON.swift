import HTTP
import Kernel

extension DomainTransfer {
    /// The transfer as its customer gets it from a domain.
    func json(in domain: String, recordID: String?) -> JSON {
        let (from, to) = direction == .out ? (domain, other) : (other, domain)
        var members: [JSON.Member] = [
            .init("id", .string(id.wire)), .init("status", .string(state.name)), .init("from", .string(from)),
            .init("to", .string(to)), .init("asset", .string(amount.asset.code)), .init("amount", .string(amount.wire)),
            .init("fee", .string(fee.wire)), .init("created_at", .string(createdAt.description)),
            .init("updated_at", .string(updatedAt.description)),
        ]
        if let reason = state.reason { members.append(.init("reason", .string(reason))) }
        if let recordID { members.append(.init("transaction", .string(recordID))) }
        return .object(members)
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: DomainTransfer.self)),
            .required("status", .oneOf(State.shownNames)),
            .required("from", .anyString, "The domain that it leaves."),
            .required("to", .anyString, "The domain that it goes to."),
            .required("asset", .asset),
            .required("amount", .amount, "What arrives."),
            .required("fee", .amount, "What it cost beside the amount."),
            .required("created_at", .instant),
            .required("updated_at", .instant),
            .optional("reason", .anyString, "Why it was returned or failed."),
            .optional("transaction", .anyString, "The domain's own record of it."),
        ],
        named: "Transfer"
    )
}

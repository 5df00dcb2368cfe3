import DataProtection
import HTTP
import Kernel

/// What a case knew of its customer and nobody else may read: sealed under the customer's key, as a value of kind
/// `compliance.evidence` that the evidence of the case and of its alerts names.
struct CaseEvidence: Sendable {
    /// The member of evidence that names what is sealed.
    private static let name = "sealed"
    /// What is opened of a case at once.
    static let itemsMax = PersonalValues.valuesMax

    let members: [JSON.Member]
    /// What is said of alerts, by their subjects.
    let explanations: [String: [String]]

    init(_ members: [JSON.Member], explaining explanations: [String: [String]]) {
        (self.members, self.explanations) = (members, explanations)
    }

    /// Reads what `bytes` wrote.
    private init(_ bytes: [UInt8]) throws {
        guard case .object(let all) = try JSON.parse(bytes) else {
            throw DataProtectionProblem.notAuthentic("evidence")
        }
        members = all.filter { $0.name != "explanations" }
        var explanations: [String: [String]] = [:]
        if case .object(let lines)? = all.first(where: { $0.name == "explanations" })?.value {
            for line in lines { explanations[line.name] = line.value.elements?.compactMap(\.stringValue) }
        }
        self.explanations = explanations
    }

    var bytes: [UInt8] {
        let lines = explanations.sorted { $0.key < $1.key }.map {
            JSON.Member($0.key, .array($0.value.map(JSON.string)))
        }
        return JSON.object(members + [.init("explanations", .object(lines))]).serialized()
    }

    /// Evidence that names what is sealed beside it.
    static func naming(_ item: UInt128, in evidence: JSON) -> JSON {
        guard case .object(let members) = evidence else { return evidence }
        return .object(members + [.init(name, .string(UUIDText.of(item)))])
    }

    private static func item(in evidence: JSON?) -> UInt128? {
        evidence?[name]?.stringValue.flatMap { ID<User>(uuid: $0) }?.value
    }

    /// A case with what is sealed of it, for one of the staff, who is noted as its reader first.
    ///
    /// What the reader's roles may not read, and what was erased with its customer, stays sealed.
    ///
    /// - Throws: what `data` throws for anything else.
    static func open(
        _ found: JSON,
        of user: ID<User>,
        _ data: PersonalValues,
        to reader: StaffReader
    ) async throws -> JSON {
        let alerts = found["alerts"]?.elements ?? []
        let named = ([found["evidence"]] + alerts.map { $0["evidence"] }).compactMap { item(in: $0) }
        let items = Array(Set(named).sorted(by: >).prefix(itemsMax))
        guard !items.isEmpty, case .object(let members) = found else { return found }
        var opened: [UInt128: CaseEvidence] = [:]
        do {
            for value in try await data.disclose(.evidence, items: items, of: user, to: reader) {
                opened[value.item] = try value.bytes.map { try CaseEvidence($0) }
            }
        } catch DataProtectionProblem.notPermitted, DataProtectionProblem.erased {
            return found
        }
        return .object(
            members.map { member in
                switch member.name {
                case "evidence": JSON.Member("evidence", with(opened, member.value))
                case "alerts": JSON.Member("alerts", .array(alerts.map { alert(opened, $0) }))
                default: member
                }
            }
        )
    }

    private static func with(_ opened: [UInt128: CaseEvidence], _ evidence: JSON) -> JSON {
        guard case .object(let members) = evidence, let found = item(in: evidence).flatMap({ opened[$0] }) else {
            return evidence
        }
        return .object(members.filter { $0.name != name } + found.members)
    }

    private static func alert(_ opened: [UInt128: CaseEvidence], _ alert: JSON) -> JSON {
        guard case .object(let members) = alert, let found = item(in: alert["evidence"]).flatMap({ opened[$0] }) else {
            return alert
        }
        let lines = alert["subject"]?.stringValue.flatMap { found.explanations[$0] }
        return .object(
            members.map { member in
                switch member.name {
                case "evidence": JSON.Member("evidence", with(opened, member.value))
                case "explanation":
                    JSON.Member("explanation", lines.map { .array($0.map(JSON.string)) } ?? member.value)
                default: member
                }
            }
        )
    }
}

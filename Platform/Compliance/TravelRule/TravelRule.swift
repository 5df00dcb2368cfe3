import Kernel
import PostgreSQL

/// The travel rule (FATF recommendation 16): of a transfer on a chain from an amount on it is recorded who sends it and
/// who gets it.
struct TravelRule: Sendable, Entity {
    /// `trvl_…`.
    static let idPrefix = "trvl"

    /// Who sends and who gets.
    struct Parties: Sendable, Hashable {
        let originator: JSON
        let beneficiary: JSON
    }

    /// From so many units of account on.
    let units: Int
    let worth: AssetWorth

    /// A transfer of which nobody can say who sends it or who gets it.
    static let nameless = ComplianceAnswer.Check(
        kind: .aml,
        outcome: .block,
        score: 60,
        flags: ["travel_rule_names_required"],
        rule: "travel_rule.v1"
    )

    func applies(to movement: MoneyMovement) -> Bool {
        movement.kind == .payout && worth.exceeds(movement.amount, units)
    }

    /// Both sides by name, as they were recorded before if they were; nil where a name is missing.
    func parties(
        of movement: MoneyMovement,
        _ destination: MoneyMovement.Destination,
        pool: Pool
    ) async throws -> Parties? {
        let row = try await pool.query(
            """
            select person.name, told.originator, told.beneficiary
            from platform.users person
            left join platform.travel_rule_records told on told.subject = \(movement.subject)
            where person.id = \(movement.user)
            """
        ).first
        guard let row else { return nil }
        if let originator: JSON = try row["originator"], let beneficiary: JSON = try row["beneficiary"] {
            return Parties(originator: originator, beneficiary: beneficiary)
        }
        guard let name: String = try row["name"], !name.isEmpty else { return nil }
        let originator: JSON = ["name": .string(name), "account": .string(movement.user.wire)]
        switch destination.beneficiary {
        case .customer:
            return Parties(originator: originator, beneficiary: party(name, destination, isOriginator: true, host: nil))
        case .other(let other?, let host) where !other.isEmpty:
            let beneficiary = party(other, destination, isOriginator: false, host: host)
            return Parties(originator: originator, beneficiary: beneficiary)
        case .other: return nil
        }
    }

    /// An address that no service is named for counts as self-hosted.
    private func party(
        _ name: String,
        _ destination: MoneyMovement.Destination,
        isOriginator: Bool,
        host: String?
    ) -> JSON {
        [
            "name": .string(name), "account": .string(destination.account), "is_originator": .bool(isOriginator),
            "is_self_hosted": .bool(host == nil), "host": host.map(JSON.string) ?? .null,
        ]
    }
}

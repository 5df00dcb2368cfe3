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

    /// Both sides by name; nil where a name is missing.
    func parties(
        of movement: MoneyMovement,
        _ destination: MoneyMovement.Destination,
        pool: Pool
    ) async throws -> Parties? {
        let row = try await pool.query("select name from platform.users where id = \(movement.user)").first
        guard let name = try row?["name"] as String?, !name.isEmpty else { return nil }
        let beneficiary = destination.beneficiary ?? name
        guard !beneficiary.isEmpty else { return nil }
        return Parties(
            originator: ["name": .string(name), "account": .string(movement.user.wire)],
            beneficiary: [
                "name": .string(beneficiary), "account": .string(destination.account),
                "is_originator": .bool(destination.beneficiary == nil),
            ]
        )
    }
}

/// How far a customer's identity is known ("know your customer"), which bounds what may leave in a day.
public enum KYCLevel: Int, Sendable, CaseIterable, Comparable {
    /// Not at all, or not any more.
    case none
    /// By name and birth, as a provider or an operator has approved them.
    case basic
    /// By documents.
    case full

    /// Orders by how much is known.
    public static func < (left: KYCLevel, right: KYCLevel) -> Bool { left.rawValue < right.rawValue }

    /// Its name on the wire: `basic`.
    public var name: String {
        switch self {
        case .none: "none"
        case .basic: "basic"
        case .full: "full"
        }
    }

    /// A level by its name.
    public init?(name: String) {
        guard let level = KYCLevel.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    /// The level of a customer: by documents while they hold, else by what identity says.
    ///
    /// Whoever's documents have run out has to be identified anew, whatever was approved before.
    public static func of(
        _ identification: MoneyMovement.Identification,
        documented: KYCLevel?,
        isExpired: Bool
    ) -> KYCLevel {
        guard identification == .approved, !isExpired else { return .none }
        return documented ?? .basic
    }
}

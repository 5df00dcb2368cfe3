/// How sure it is that somebody is the one on a list.
public struct ScreeningScore: Hashable, Sendable {
    /// From here on a person has to look.
    public static let alertMin = 870
    /// A name less like than this is none, whatever else agrees.
    public static let nameMin = 720

    /// The names.
    public let name: NameLikeness
    /// The dates of birth.
    public let birth: BirthAgreement
    /// The countries.
    public let country: CountryAgreement

    /// Whether the list itself calls the name weak.
    public let isWeakName: Bool

    /// What a weak name counts less.
    private static let weakNamePoints = -40

    /// A score of what was compared.
    public init(name: NameLikeness, birth: BirthAgreement, country: CountryAgreement, isWeakName: Bool = false) {
        (self.name, self.birth, self.country, self.isWeakName) = (name, birth, country, isWeakName)
    }

    /// The name's likeness, moved by what else agrees or doesn't: 0 to 1000.
    public var total: Int { min(1000, max(0, name.score + points)) }

    /// Whether a person has to look.
    public var isAlert: Bool { name.score >= ScreeningScore.nameMin && total >= ScreeningScore.alertMin }

    private var points: Int {
        let birthPoints =
            switch birth {
            case .sameDay: 160
            case .sameYear: 90
            case .near: 50
            case .unknown: 0
            case .differs: -170
            }
        let countryPoints =
            switch country {
            case .agrees: 25
            case .unknown: 0
            case .differs: -15
            }
        return birthPoints + countryPoints + (isWeakName ? ScreeningScore.weakNamePoints : 0)
    }

    /// What was compared and what came of it, in lines that fit one screen.
    public var explanation: [String] {
        [
            "score \(total): name \(name.score), birth \(birth.rawValue), country \(country.rawValue)"
        ] + name.pairs.map { "  \($0.asked) ~ \($0.listed) \($0.likeness)" }
    }
}

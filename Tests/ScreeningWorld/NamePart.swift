import Randomness

/// A piece of a name: how its own script writes it, and how it is written in Latin letters, the usual spelling first.
struct NameUnit {
    let native: String
    let latin: [String]

    init(_ native: String, _ latin: String...) { (self.native, self.latin) = (native, latin) }
    init(_ native: String, latin: [String]) { (self.native, self.latin) = (native, latin) }
}

/// A word of a name, by its units.
struct NamePart {
    enum Role { case given, middle, patronymic, surname }

    var role: Role
    var units: [NameUnit]
    /// A short form that is used for it.
    var nickname: String?
    /// Whether it can be written as two words: the unit at which it is cut.
    var cut: Int?

    var latin: String { NamePart.capitalised(units.map { $0.latin[0] }.joined()) }
    var native: String { units.map(\.native).joined() }

    /// Another spelling: up to `changes` units by another of their romanisations; nil when there is none.
    func respelled(_ changes: Int, _ generator: inout SeededRandom) -> String? {
        let open = units.indices.filter { units[$0].latin.count > 1 }
        guard !open.isEmpty else { return nil }
        let changed = Set(open.shuffled(using: &generator).prefix(changes))
        let text = units.indices.map { index in
            changed.contains(index) ? generator.pick(Array(units[index].latin.dropFirst())) : units[index].latin[0]
        }
        return NamePart.capitalised(text.joined())
    }

    static func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}

/// Somebody, or a company, that a list or a customer base is made of.
struct SyntheticParty {
    let culture: Culture
    /// In the usual order of the culture.
    var parts: [NamePart]
    var born: (year: Int, month: Int, day: Int)
    var country: String
    var isCompany = false
    /// The whole name of a company.
    var companyName = ""

    var latin: String { isCompany ? companyName : parts.map(\.latin).joined(separator: " ") }
    var native: String? {
        guard !isCompany, culture.hasOwnScript else { return nil }
        return parts.map(\.native).joined(separator: culture.writesGaps ? " " : "")
    }
}

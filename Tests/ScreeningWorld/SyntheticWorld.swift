import Kernel
import Randomness
import Screening

/// A list and the people and companies that are screened against it, all invented and the same for the same seed.
struct SyntheticWorld {
    /// An entry of the list.
    struct Entry {
        let party: SyntheticParty
        let names: [String]
        let births: [BirthDate]
        let countries: Set<String>

        var kind: ScreenedName.Kind { party.isCompany ? .organisation : .person }
    }

    /// Somebody who is screened.
    struct Query {
        /// What was done to the name, or what makes it hard.
        let label: String
        let name: String
        let kind: ScreenedName.Kind
        let birth: BirthDate?
        let countries: Set<String>
        /// The entry that it is; nil for somebody who isn't on the list.
        let entry: Int?
    }

    let entries: [Entry]
    let truths: [Query]
    let hardNegatives: [Query]
    let clean: [Query]

    /// A world of so many entries, a seventh as many companies, a fifth as many true and hard queries each, and three
    /// times as many clean ones.
    init(seed: UInt64, entries count: Int) {
        var generator = SeededRandom(seed)
        let companies = count * 3 / 20
        var entries: [Entry] = []
        entries.reserveCapacity(count + companies)
        for _ in 0..<count { entries.append(SyntheticWorld.entry(of: SyntheticWorld.person(&generator), &generator)) }
        for _ in 0..<companies {
            entries.append(SyntheticWorld.entry(of: SyntheticWorld.company(&generator), &generator))
        }
        self.entries = entries
        truths = SyntheticWorld.truths(entries, count / 5, &generator)
        hardNegatives = (0..<(count / 5)).map { SyntheticWorld.hardNegative(entries, $0, &generator) }
        let listed = Set(entries.map(\.party.latin))
        clean = (0..<(count * 3 / 5)).map { _ in
            // Whoever is called the same as somebody on the list is a hard case, not a clean one.
            var party = SyntheticWorld.person(&generator)
            while listed.contains(party.latin) { party = SyntheticWorld.person(&generator) }
            return SyntheticWorld.query("clean", party.latin, party, entry: nil)
        }
    }

    static func person(_ generator: inout SeededRandom) -> SyntheticParty {
        let culture = Culture.drawn(&generator)
        return SyntheticParty(
            culture: culture,
            parts: culture.name(&generator),
            born: (1935 + generator.below(68), 1 + generator.below(12), 1 + generator.below(28)),
            country: generator.pick(culture.countries)
        )
    }

    private static func company(_ generator: inout SeededRandom) -> SyntheticParty {
        var party = person(&generator)
        party.isCompany = true
        party.companyName = Companies.name(&generator)
        return party
    }

    private static func entry(of party: SyntheticParty, _ generator: inout SeededRandom) -> Entry {
        var names = [party.latin]
        let kinds: [Transformation] = party.isCompany ? [.company] : [.respelling, .script, .missingMiddle, .title]
        for _ in 0..<generator.below(4) {
            if let alias = generator.pick(kinds).apply(party, &generator), !names.contains(alias) {
                names.append(alias)
            }
        }
        return Entry(
            party: party,
            names: names,
            births: party.isCompany ? [] : births(party, &generator),
            countries: generator.percent(90) ? [party.country] : []
        )
    }

    private static func births(_ party: SyntheticParty, _ generator: inout SeededRandom) -> [BirthDate] {
        let (year, month, day) = party.born
        switch generator.below(10) {
        case 0...5: return CalendarDay(year: year, month: month, day: day).map { [.day($0)] } ?? []
        case 6, 7: return [.years(year...year)]
        case 8: return [.years((year - 2)...(year + 2))]
        default: return []
        }
    }

    private static func query(_ label: String, _ name: String, _ party: SyntheticParty, entry: Int?) -> Query {
        let day = CalendarDay(year: party.born.year, month: party.born.month, day: party.born.day)
        return Query(
            label: label,
            name: name,
            kind: party.isCompany ? .organisation : .person,
            birth: party.isCompany ? nil : day.map(BirthDate.day),
            countries: [party.country],
            entry: entry
        )
    }

    private static func truths(_ entries: [Entry], _ count: Int, _ generator: inout SeededRandom) -> [Query] {
        var queries: [Query] = []
        var turn = 0
        while queries.count < count {
            let transformation = Transformation.allCases[turn % Transformation.allCases.count]
            let index = generator.below(entries.count)
            guard let name = transformation.apply(entries[index].party, &generator) else { continue }
            queries.append(query(transformation.rawValue, name, entries[index].party, entry: index))
            turn += 1
        }
        return queries
    }

    private static let hardships = [
        "same surname", "near surname", "gender pair", "parent and child", "same name, born otherwise", "usual words",
    ]

    /// Somebody who isn't on the list and looks like somebody who is; never born on the same day.
    private static func hardNegative(_ entries: [Entry], _ turn: Int, _ generator: inout SeededRandom) -> Query {
        let label = hardships[turn % hardships.count]
        var party = entries[generator.below(entries.count)].party
        while party.isCompany != (label == "usual words") { party = entries[generator.below(entries.count)].party }
        party.born.year += (generator.percent(50) ? 1 : -1) * (6 + generator.below(25))
        party.born.day = 1 + generator.below(28)
        switch label {
        case "same surname", "parent and child":
            let others = party.culture.name(&generator)
            party.parts = others.filter { $0.role != .surname } + party.parts.filter { $0.role == .surname }
        case "near surname":
            if let index = party.parts.firstIndex(where: { $0.role == .surname }) {
                let changed = party.parts[index].units.dropLast()
                let others = party.culture.name(&generator).first { $0.role == .surname }?.units.suffix(1) ?? []
                party.parts[index].units = Array(changed + others)
            }
        case "gender pair":
            if let index = party.parts.firstIndex(where: { $0.role == .given }) {
                let ending = party.parts[index].latin.hasSuffix("a") ? "o" : "a"
                party.parts[index].units = [NameUnit("", String(party.parts[index].latin.dropLast()) + ending)]
            }
        case "usual words": party.companyName = Companies.stranger(to: party.companyName, &generator)
        default: break
        }
        return query(label, party.latin, party, entry: nil)
    }
}

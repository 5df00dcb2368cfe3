import Randomness

/// Arabic and Persian names: roots of three consonants in patterns of vowels, as the scripts write them.
enum SemiticGrammar {
    private typealias Unit = NameUnit

    private static let consonants: [NameUnit] = [
        Unit("ب", "b"), Unit("ت", "t"), Unit("ج", "j", "dj", "g"), Unit("ح", "h"), Unit("خ", "kh", "h"),
        Unit("د", "d"), Unit("ر", "r"), Unit("ز", "z"), Unit("س", "s"), Unit("ش", "sh", "ch"), Unit("ص", "s"),
        Unit("ض", "d", "dh"), Unit("ط", "t"), Unit("ظ", "z", "dh"), Unit("غ", "gh", "g"), Unit("ف", "f"),
        Unit("ق", "q", "k", "g"), Unit("ك", "k"), Unit("ل", "l"), Unit("م", "m"), Unit("ن", "n"), Unit("ه", "h"),
    ]
    private static let persianConsonants: [NameUnit] = [
        Unit("پ", "p"), Unit("چ", "ch", "tch"), Unit("گ", "g"), Unit("ژ", "zh", "j"), Unit("ک", "k"),
        Unit("و", "v", "w"),
    ]
    private static let shortA = Unit("", "a", "e")
    private static let shortI = Unit("", "i", "e")
    private static let shortU = Unit("", "u", "o")
    private static let longA = Unit("ا", "a", "aa")
    private static let longI = Unit("ي", "i", "ee", "y")
    private static let longU = Unit("و", "u", "ou", "oo")
    private static let ending = Unit("ي", "i", "y", "ee")
    private static let feminine = Unit("ة", "a", "ah")

    static func name(_ generator: inout SeededRandom, isPersian: Bool) -> [NamePart] {
        var parts = [part(.given, &generator, isPersian)]
        if generator.percent(isPersian ? 30 : 60) { parts.append(part(.middle, &generator, isPersian)) }
        if generator.percent(isPersian ? 0 : 25) { parts.append(part(.middle, &generator, isPersian)) }
        var surname = part(.surname, &generator, isPersian)
        if isPersian, generator.percent(40) {
            surname.units += generator.pick([
                [Unit("زاده", "zadeh", "zada", "zade")], [Unit("پور", "pour", "pur", "poor")],
                [Unit("یان", "ian", "yan")],
            ])
        } else if generator.percent(60) {
            surname.units.append(ending)
        }
        if !isPersian, generator.percent(35) {
            surname.units.insert(Unit("ال", "al-", "el-", "al ", "el "), at: 0)
        }
        return parts + [surname]
    }

    private static func part(
        _ role: NamePart.Role,
        _ generator: inout SeededRandom,
        _ isPersian: Bool
    ) -> NamePart {
        if role != .surname, generator.percent(12) {
            let root = pattern(&generator, isPersian)
            let servant = Unit("عبدال", "Abdul ", "Abd al-", "Abdel ", "Abdul", "Abdel")
            return NamePart(role: role, units: [servant] + root)
        }
        return NamePart(role: role, units: pattern(&generator, isPersian))
    }

    private static func pattern(_ generator: inout SeededRandom, _ isPersian: Bool) -> [NameUnit] {
        let known = isPersian && generator.percent(35) ? consonants + persianConsonants : consonants
        var root: [NameUnit] = []
        while root.count < 3 {
            let next = generator.pick(known)
            if root.last?.latin[0] != next.latin[0] { root.append(next) }
        }
        let (one, two, three) = (root[0], root[1], root[2])
        switch generator.below(9) {
        case 0: return [one, longA, two, shortI, three]
        case 1: return [one, shortA, two, longI, three]
        case 2: return [Unit("م", "m"), shortA, one, two, longU, three]
        case 3: return [Unit("أ", "a"), one, two, shortA, three]
        case 4: return [one, shortA, two, longA, three]
        case 5: return [Unit("م", "m"), shortU, one, shortA, two, three]
        case 6: return [one, shortU, two, shortA, longI, three]
        case 7: return [one, shortA, two, longI, three, feminine]
        default: return [one, shortA, two, three, longA, Unit("ن", "n")]
        }
    }
}

/// Pinyin, Wade–Giles and the romanisations of Korean brought to one spelling.
///
/// It joins what these systems write differently (`zhang` and `chang`, `xiao` and `hsiao`, `jeong` and `chong`) and
/// says nothing about other languages: two words are the same here only if both are wholly made of such syllables.
enum EastAsianSpelling {
    /// Letters of the longest word that is looked at: two syllables of six.
    private static let lettersMax = 12

    private struct Rule {
        let letters: [UInt8]
        let neutral: [UInt8]
    }

    /// The rules by the first letter, the longest first.
    private static let rules: [[Rule]] = {
        var table = [[Rule]](repeating: [], count: 32)
        for (letters, neutral) in spellings {
            let rule = Rule(letters: Array(letters.utf8), neutral: Array(neutral.utf8))
            table[Int(rule.letters[0] & 0x1F)].append(rule)
        }
        return table.map { $0.sorted { $0.letters.count > $1.letters.count } }
    }()

    private static let spellings = [
        ("zh", "C"), ("ch", "C"), ("j", "C"), ("q", "C"), ("tz", "Z"), ("ts", "Z"), ("z", "Z"), ("c", "Z"),
        ("hs", "X"), ("x", "X"), ("sh", "S"), ("ss", "s"), ("sz", "s"), ("b", "p"), ("pp", "p"), ("d", "t"),
        ("tt", "t"), ("g", "k"), ("kk", "k"), ("ung", "oN"), ("ong", "oN"), ("ng", "N"), ("ien", "ian"),
        ("ieh", "ie"), ("ueh", "ue"), ("yueh", "yue"), ("uei", "i"), ("ui", "i"), ("ih", "i"), ("eh", "e"),
        ("yeh", "ye"),
        ("uo", "o"), ("eo", "o"), ("oo", "u"), ("eu", "u"), ("yen", "yan"), ("yeo", "yo"), ("you", "yo"),
        ("yi", "i"), ("woo", "u"), ("wu", "u"), ("ou", "o"), ("yu", "yu"), ("r", "l"), ("ee", "i"), ("ae", "e"),
    ]

    /// The one spelling of a word; empty for a word that is longer than two syllables can be.
    static func neutral(_ letters: [UInt8]) -> [UInt8] {
        guard letters.count <= lettersMax else { return [] }
        var result: [UInt8] = []
        var index = 0
        while index < letters.count {
            let rest = letters[index...]
            if let rule = rules[Int(letters[index] & 0x1F)].first(where: { rest.starts(with: $0.letters) }) {
                result += rule.neutral
                index += rule.letters.count
            } else {
                result.append(letters[index])
                index += 1
            }
        }
        return result
    }
}

/// Korean writing in ASCII by the revised romanisation, part by part of each syllable.
enum HangulSyllable {
    /// A consonant or vowel of a syllable.
    struct Part {
        /// Whether a syllable begins with it.
        let isLeading: Bool
        let letters: [UInt8]
    }

    /// The parts of a composed syllable, or the one that a conjoining letter is (Unicode §3.12).
    static func parts(of value: UInt32) -> [Part] {
        switch value {
        case 0xAC00...0xD7A3:
            let index = Int(value - 0xAC00)
            return [part(leading, index / 588), part(vowels, index % 588 / 28), part(trailing, index % 28)]
        case 0x1100...0x1112: return [part(leading, Int(value - 0x1100))]
        case 0x1161...0x1175: return [part(vowels, Int(value - 0x1161))]
        case 0x11A8...0x11C2: return [part(trailing, Int(value - 0x11A7))]
        default: return []
        }
    }

    private static func part(_ table: Table, _ index: Int) -> Part {
        Part(isLeading: table.isLeading, letters: Array(table.letters[index].utf8))
    }

    private struct Table {
        let isLeading: Bool
        let letters: [String]
    }

    private static let leading = Table(
        isLeading: true,
        letters: ["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"]
    )
    private static let vowels = Table(
        isLeading: false,
        letters: [
            "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi", "yu",
            "eu", "ui", "i",
        ]
    )
    private static let trailing = Table(
        isLeading: false,
        letters: [
            "", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t", "t",
            "ng", "t", "t", "k", "t", "p", "t",
        ]
    )
}

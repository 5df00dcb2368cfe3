/// Arabic letters, with those of Persian, Dari, Pashto and Urdu, in ASCII.
///
/// Short vowels aren't written, so that words from this script are compared by their consonants. The letters are those
/// of `SoundFold`, one for each consonant: two that stand side by side must not be read as one.
enum ArabicLetters {
    /// The letters for one; empty for signs without a sound of their own, nil for what is no letter.
    static func reading(of value: UInt32, isFirst: Bool) -> [UInt8]? {
        switch value {
        // Waw and yeh are consonants at the beginning of a word, and mostly long vowels within.
        case 0x648: isFirst ? [UInt8(ascii: "w")] : [UInt8(ascii: "u")]
        case 0x649, 0x64A, 0x6CC, 0x626: [UInt8(ascii: "i")]
        // A final heh or teh marbuta is a vowel's: the fold of sounds drops an h after vowels at the end.
        case 0x629, 0x6C0, 0x6C3: [UInt8(ascii: "a")]
        default: table[value].map { Array($0.utf8) }
        }
    }

    private static let table: [UInt32: String] = [
        0x621: "", 0x622: "a", 0x623: "a", 0x624: "u", 0x625: "a", 0x627: "a", 0x671: "a", 0x628: "b", 0x62A: "t",
        0x62B: "t", 0x62C: "j", 0x62D: "h", 0x62E: "h", 0x62F: "d", 0x630: "d", 0x631: "r", 0x632: "z", 0x633: "s",
        0x634: "c", 0x635: "s", 0x636: "d", 0x637: "t", 0x638: "z", 0x639: "", 0x63A: "g", 0x641: "f", 0x642: "k",
        0x643: "k", 0x644: "l", 0x645: "m", 0x646: "n", 0x647: "h", 0x67E: "p", 0x686: "c", 0x698: "j", 0x6A9: "k",
        0x6AF: "g", 0x6BA: "n", 0x6BE: "h", 0x6C1: "h", 0x6D2: "i", 0x6C7: "u", 0x6D0: "e", 0x679: "t", 0x688: "d",
        0x691: "r", 0x67C: "t", 0x689: "d", 0x693: "r", 0x69A: "c", 0x696: "j", 0x685: "s", 0x681: "z",
    ]
}

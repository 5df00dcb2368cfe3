/// Chinese and Korean names, which are written without a gap: the surname, and the given name behind it.
enum EastAsianName {
    /// Syllables that may belong to one name; more of them are left as they are.
    private static let syllablesMax = 4

    /// Surnames of two syllables.
    private static let doubleSurnames: Set<String> = [
        "ouyang", "sima", "zhuge", "shangguan", "situ", "dongfang", "huangfu", "yuchi", "gongsun", "linghu",
        "zhangsun", "murong", "xiahou", "duanmu", "namgung", "seonu", "hwangbo", "jegal", "dokgo", "sagong",
    ]

    /// Surnames of one letter, as they are usually written.
    private static let shortSurnames: [[UInt8]: [UInt8]] = [
        Array("i".utf8): Array("lee".utf8), Array("o".utf8): Array("oh".utf8), Array("u".utf8): Array("woo".utf8),
    ]

    /// A word of syllables as surname and given name; a word of one syllable, or of many, as it is.
    static func split(_ word: Transliteration.Word) -> [Transliteration.Word] {
        let syllables = word.syllables
        guard (2...syllablesMax).contains(syllables.count) else { return [joined(word, syllables[...])] }
        let isDouble =
            syllables.count > 2
            && doubleSurnames.contains(String(decoding: syllables[0] + syllables[1], as: UTF8.self))
        let surname = isDouble ? 2 : 1
        return [joined(word, syllables[..<surname]), joined(word, syllables[surname...])]
    }

    private static func joined(_ word: Transliteration.Word, _ syllables: ArraySlice<[UInt8]>) -> Transliteration.Word {
        var part = word
        let letters = Array(syllables.joined())
        part.letters = shortSurnames[letters] ?? letters
        part.spoken = part.letters
        part.syllables = []
        return part
    }
}

/// A name made ready for comparison: pure, and the same for the same text in any case and normal form.
public struct ScreenedName: Hashable, Sendable {
    /// Whose name it is.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A human being.
        case person
        /// A company, a state's body, a group.
        case organisation
        /// A ship.
        case vessel
        /// An aircraft.
        case aircraft

        /// Whether its names are built of given names and surnames.
        public var isPerson: Bool { self == .person }
    }

    /// Words of one name that are compared; what is behind them is ignored.
    public static let wordsMax = 8

    /// What it was made from.
    public let text: String
    /// Whose name it is.
    public let kind: Kind
    let words: [NameWord]

    /// A name as it is written, `LAST, First` included.
    public init(_ text: String, kind: Kind = .person) {
        (self.text, self.kind) = (text, kind)
        let read = Transliteration.words(text)
        let named = kind.isPerson ? PersonName.words(read) : OrganisationName.words(read)
        words = Array(named.prefix(ScreenedName.wordsMax))
    }

    /// Whether nothing is left to compare.
    public var isEmpty: Bool { words.isEmpty }

    /// The words by sound, in order of the alphabet: what similar names are found by through trigrams.
    public var sounds: String {
        words.map { String(decoding: $0.sound, as: UTF8.self) }.sorted().joined(separator: " ")
    }
}

/// How persons' names are read.
enum PersonName {
    /// Hundredths that a particle counts.
    private static let particleWeight = 25

    static func words(_ read: [Transliteration.Word]) -> [NameWord] {
        let parts = merged(withoutArticles(read))
        let essential = parts.filter { !contains(NameVocabulary.titles, $0) }
        // Somebody may be called Don: a name isn't left with one word.
        return (essential.count >= 2 ? essential : parts).map { word in
            NameWord(
                letters: word.letters,
                spoken: word.spoken,
                isUnvowelled: word.script == .arabic,
                weight: contains(NameVocabulary.particles, word) ? particleWeight : 100
            )
        }
    }

    private static func withoutArticles(_ read: [Transliteration.Word]) -> [Transliteration.Word] {
        read.enumerated().compactMap { index, word in
            let isBeforeHyphen = index + 1 < read.count && read[index + 1].isJoined
            if isBeforeHyphen, contains(NameVocabulary.joinedArticles, word) { return nil }
            // Bin Tian and Mei-bin are Chinese, Osama bin Laden isn't.
            let isArticle = word.letters.count == 2 && word.letters[1] == UInt8(ascii: "l")
            let isBetween = index > 0 && index + 1 < read.count && !isBeforeHyphen
            if contains(NameVocabulary.descents, word), index + 1 < read.count, isArticle || isBetween { return nil }
            var word = word
            // The Arabic article is written as part of its word.
            if word.hasArticle, word.letters.count > 3, word.letters.starts(with: al) {
                word.letters.removeFirst(2)
                word.spoken = word.letters
            }
            return word
        }
    }

    /// Servants' and fathers' names as one word: Abd al-Rahman, Abdul Rahman, Abdurrahman; Abu Bakr, Aboubakar.
    private static func merged(_ read: [Transliteration.Word]) -> [Transliteration.Word] {
        var result: [Transliteration.Word] = []
        var index = 0
        while index < read.count {
            var word = read[index]
            index += 1
            let isServant = contains(NameVocabulary.servants, word) || word.letters == Array("bd".utf8)
            if isServant || contains(NameVocabulary.fathers, word) {
                while index < read.count, isArticle(read[index]) { index += 1 }
                if index < read.count {
                    let stem = Array((isServant ? "abd" : "abu").utf8)
                    word.letters = stem + read[index].letters
                    word.spoken = stem + read[index].spoken
                    word.script = read[index].script
                    index += 1
                }
            } else {
                word.letters = servantStem(word)
                if word.letters != read[index - 1].letters { word.spoken = word.letters }
            }
            result.append(word)
        }
        return result
    }

    /// Abdulrahman and Abdurrahman as abdrahman; other words as they are.
    private static func servantStem(_ word: Transliteration.Word) -> [UInt8] {
        let letters = word.letters
        guard letters.count > 6 else { return letters }
        if word.script == .arabic {
            return letters.starts(with: Array("bdal".utf8)) ? Array("abd".utf8) + letters.dropFirst(4) : letters
        }
        guard letters.starts(with: abd), SoundFold.isVowel(letters[3]) else { return letters }
        let rest = letters.dropFirst(letters[4] == UInt8(ascii: "u") ? 5 : 4)
        guard let first = rest.first, let second = rest.dropFirst().first else { return letters }
        if first == UInt8(ascii: "l"), !SoundFold.isVowel(second) || rest.count > 4 && second == first {
            return abd + rest.dropFirst()
        }
        if first == second { return abd + rest.dropFirst() }
        return letters
    }

    private static let al = Array("al".utf8)
    private static let abd = Array("abd".utf8)

    private static func isArticle(_ word: Transliteration.Word) -> Bool {
        word.letters.count == 2
            && (word.letters[1] == UInt8(ascii: "l") || contains(NameVocabulary.joinedArticles, word))
    }

    private static func contains(_ words: Set<String>, _ word: Transliteration.Word) -> Bool {
        words.contains(String(decoding: word.letters, as: UTF8.self))
    }
}

/// How names of companies, ships and other things are read.
enum OrganisationName {
    /// Hundredths that a usual word counts.
    private static let usualWeight = 25

    static func words(_ read: [Transliteration.Word]) -> [NameWord] {
        let all = read.map { (text: String(decoding: $0.letters, as: UTF8.self), word: $0) }
        let essential = all.filter { !NameVocabulary.companyForms.contains($0.text) && $0.text.count > 1 }
        let named = essential.isEmpty ? all : essential
        let hasOwn = named.contains { !NameVocabulary.companyWords.contains($0.text) }
        return named.map { text, word in
            NameWord(
                letters: word.letters,
                spoken: word.spoken,
                isUnvowelled: word.script == .arabic,
                weight: hasOwn && NameVocabulary.companyWords.contains(text) ? usualWeight : 100
            )
        }
    }
}

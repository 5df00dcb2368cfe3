/// Names of any script in small ASCII letters, word by word.
///
/// The same for composed and decomposed text (NFC, NFD) and for either case. Scripts that aren't known here leave
/// nothing; marks, digits that stand alone and punctuation are gaps.
enum Transliteration {
    /// The longest name that is read, in Unicode scalars; what is behind it is ignored.
    static let scalarsMax = 300

    /// A word as it was read.
    struct Word: Hashable {
        /// Small ASCII letters.
        var letters: [UInt8] = []
        /// Small ASCII letters that sound as the marks of the original say: `č` is `ch` here and `c` in `letters`.
        var spoken: [UInt8] = []
        /// What it was written in.
        var script = Script.latin
        /// Its syllables where it is written by syllables: Chinese and Korean; `letters` is empty then.
        var syllables: [[UInt8]] = []
        /// Whether it may begin with the Arabic article: with an alef that has no sign.
        var hasArticle = false
        /// Whether a hyphen joins it to the word before it.
        var isJoined = false
    }

    /// What a word was written in.
    enum Script: Hashable {
        case latin
        case cyrillic
        /// Short vowels aren't written.
        case arabic
        case chinese
        case korean
    }

    /// The words of a name.
    static func words(_ name: String) -> [Word] {
        var reader = Reader()
        for scalar in name.unicodeScalars.prefix(scalarsMax) { reader.take(scalar) }
        reader.endWord()
        return reader.words
    }

    private struct Reader {
        var words: [Word] = []
        private var word = Word()
        private var joinsNext = false

        mutating func take(_ scalar: Unicode.Scalar) {
            switch scalar.value {
            case 0x41...0x5A, 0x61...0x7A: ascii(UInt8(scalar.value | 0x20))
            case 0x30, 0x31, 0x35, 0x38: digit(scalar.value)
            // Apostrophes of all kinds stand inside words: O'Neil, Ta'izz, Ch'en.
            case 0x27, 0x60, 0xB4, 0x2B0...0x2FF, 0x2018...0x201B, 0x2032: break
            case 0x2D, 0x2010...0x2015: endWord(joins: true)
            case 0x300...0x36F: mark(scalar.value)
            case 0xC0...0x24F, 0x1E00...0x1EFF: latin(scalar)
            case 0x400...0x52F: cyrillic(scalar)
            case 0x610...0x61A, 0x64B...0x65F, 0x670, 0x640, 0x200C...0x200F: break
            case 0x620...0x6D3: arabic(scalar)
            case 0x1100...0x11FF, 0xAC00...0xD7A3: korean(scalar)
            case 0x3400...0x9FFF, 0xF900...0xFAFF: chinese(scalar)
            default: endWord()
            }
        }

        mutating func endWord(joins: Bool = false) {
            if !word.syllables.isEmpty {
                words += EastAsianName.split(word)
            } else if !word.letters.isEmpty {
                words.append(word)
            }
            (word, joinsNext) = (Word(), joins)
        }

        private mutating func begin(_ script: Script) {
            let isEmpty = word.letters.isEmpty && word.syllables.isEmpty
            if word.script != script, !isEmpty { endWord() }
            if isEmpty || word.script != script { word.isJoined = joinsNext }
            word.script = script
        }

        private mutating func append(_ script: Script, _ letters: [UInt8], _ spoken: [UInt8]) {
            begin(script)
            word.letters += letters
            word.spoken += spoken
        }

        /// Digits that scanners read for letters, inside a word alone.
        private mutating func digit(_ value: UInt32) {
            guard !word.letters.isEmpty, word.script == .latin else { return endWord() }
            let letter: UInt8 =
                switch value {
                case 0x30: UInt8(ascii: "o")
                case 0x31: UInt8(ascii: "l")
                case 0x35: UInt8(ascii: "s")
                default: UInt8(ascii: "b")
                }
            ascii(letter)
        }

        private mutating func ascii(_ letter: UInt8) { append(.latin, [letter], [letter]) }

        private mutating func latin(_ scalar: Unicode.Scalar) {
            guard let (letters, spoken) = LatinLetters.reading(of: scalar) else { return endWord() }
            append(.latin, letters, spoken)
        }

        /// A mark after its letter, in decomposed text.
        private mutating func mark(_ value: UInt32) {
            guard word.script == .latin, let last = word.letters.last else { return }
            let spoken = LatinLetters.spoken(last, mark: value)
            if spoken.count > 1, word.spoken.last == last { word.spoken.append(contentsOf: spoken.dropFirst()) }
        }

        private mutating func cyrillic(_ scalar: Unicode.Scalar) {
            guard let letters = CyrillicLetters.reading(of: scalar.value) else { return endWord() }
            append(.cyrillic, letters, letters)
        }

        private mutating func arabic(_ scalar: Unicode.Scalar) {
            guard let letters = ArabicLetters.reading(of: scalar.value, isFirst: word.letters.isEmpty) else {
                return endWord()
            }
            append(.arabic, letters, letters)
            if word.letters.count == 1, scalar.value == 0x627 { word.hasArticle = true }
        }

        private mutating func korean(_ scalar: Unicode.Scalar) {
            begin(.korean)
            for part in HangulSyllable.parts(of: scalar.value) {
                if part.isLeading { word.syllables.append([]) }
                guard !word.syllables.isEmpty else { continue }
                word.syllables[word.syllables.count - 1] += part.letters
            }
        }

        private mutating func chinese(_ scalar: Unicode.Scalar) {
            guard let reading = Pinyin.reading(of: scalar) else { return endWord() }
            begin(.chinese)
            word.syllables.append(reading)
        }
    }
}

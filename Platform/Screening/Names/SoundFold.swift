/// Small ASCII letters folded so that usual spellings of one sound become the same.
///
/// `c` stands for the sounds of sh and ch, `j` for those of j and zh, `z` for those of z and ts, `h` also for kh, `q`
/// for ng at the end of a syllable. The fold is coarse where romanisations differ and keeps vowels; what it joins is
/// nearly, not wholly, the same to the comparison of names.
enum SoundFold {
    /// The fold of a word's letters.
    static func fold(_ letters: [UInt8]) -> [UInt8] {
        var folded: [UInt8] = []
        folded.reserveCapacity(letters.count)
        var index = 0
        while index < letters.count {
            let (sound, length) = next(letters, index)
            for letter in sound where folded.last != letter { folded.append(letter) }
            index += length
        }
        return trimmed(folded)
    }

    /// A folded word without an h behind its last vowel: Fatimah and Fatima, Abdullah and Abdulla.
    static func trimmed(_ folded: [UInt8]) -> [UInt8] {
        guard folded.count > 2, folded.last == UInt8(ascii: "h"), isVowel(folded[folded.count - 2]) else {
            return folded
        }
        return Array(folded.dropLast())
    }

    /// Whether a folded letter is a vowel.
    @inline(__always)
    static func isVowel(_ letter: UInt8) -> Bool {
        switch letter {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"): true
        default: false
        }
    }

    /// Whether two folded words begin alike: with a vowel both, or with consonants of one class.
    static func haveSameStart(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard let first = left.first, let other = right.first else { return false }
        return first == other || isVowel(first) && isVowel(other) || classes([first]) == classes([other])
    }

    /// The consonants of a folded word: what all writings of a name have in common.
    static func skeleton(_ folded: [UInt8]) -> [UInt8] {
        var skeleton: [UInt8] = []
        for (index, letter) in folded.enumerated() where !isVowel(letter) {
            // Within a word w is as often a vowel's sign.
            if letter == UInt8(ascii: "w"), index > 0 { continue }
            if skeleton.last != letter { skeleton.append(letter) }
        }
        return skeleton
    }

    /// A skeleton as it would be read in Latin letters, where s and h that stand side by side are one sound.
    static func asRead(_ skeleton: [UInt8]) -> [UInt8] {
        fold(skeleton.flatMap { $0 == UInt8(ascii: "c") ? Array("sh".utf8) : [$0] })
    }

    /// A skeleton by classes of consonants that romanisations mix up: what candidates are looked up by.
    static func classes(_ skeleton: [UInt8]) -> [UInt8] {
        var classes: [UInt8] = []
        for letter in skeleton {
            let mapped: UInt8? =
                switch letter {
                case UInt8(ascii: "b"), UInt8(ascii: "p"), UInt8(ascii: "f"): UInt8(ascii: "p")
                case UInt8(ascii: "d"), UInt8(ascii: "t"), UInt8(ascii: "s"), UInt8(ascii: "z"): UInt8(ascii: "t")
                case UInt8(ascii: "g"), UInt8(ascii: "k"), UInt8(ascii: "j"), UInt8(ascii: "c"): UInt8(ascii: "k")
                case UInt8(ascii: "l"), UInt8(ascii: "r"): UInt8(ascii: "r")
                case UInt8(ascii: "q"): UInt8(ascii: "n")
                case UInt8(ascii: "h"), UInt8(ascii: "v"), UInt8(ascii: "w"): nil
                default: letter
                }
            if let mapped, classes.last != mapped { classes.append(mapped) }
        }
        return classes
    }

    /// A skeleton by finer classes, for keys that say less besides.
    static func fineClasses(_ skeleton: [UInt8]) -> [UInt8] {
        var classes: [UInt8] = []
        for letter in skeleton {
            let mapped: UInt8? =
                switch letter {
                case UInt8(ascii: "b"): UInt8(ascii: "p")
                case UInt8(ascii: "d"): UInt8(ascii: "t")
                case UInt8(ascii: "g"): UInt8(ascii: "k")
                case UInt8(ascii: "z"): UInt8(ascii: "s")
                case UInt8(ascii: "q"): UInt8(ascii: "n")
                case UInt8(ascii: "h"), UInt8(ascii: "v"), UInt8(ascii: "w"): nil
                default: letter
                }
            if let mapped, classes.last != mapped { classes.append(mapped) }
        }
        return classes
    }

    private struct Spelling {
        let letters: [UInt8]
        let sound: [UInt8]

        init(_ letters: String, _ sound: String) {
            (self.letters, self.sound) = (Array(letters.utf8), Array(sound.utf8))
        }
    }

    /// Spellings of more than one letter by their first letter, the longest first.
    private static let spellings: [[Spelling]] = {
        var table = [[Spelling]](repeating: [], count: 26)
        let all = [
            ("schtsch", "c"), ("shch", "c"), ("tsch", "c"), ("tch", "c"), ("sch", "c"), ("sh", "c"), ("ch", "c"),
            ("cz", "c"), ("ck", "k"), ("zh", "j"), ("dzh", "j"), ("dj", "j"), ("kh", "h"), ("gh", "g"), ("ph", "f"),
            ("th", "t"), ("dh", "d"), ("bh", "b"), ("rh", "r"), ("wh", "w"), ("tz", "z"), ("ts", "z"), ("x", "ks"),
            ("que", "ke"), ("qui", "ki"), ("q", "k"), ("ou", "u"), ("oo", "u"), ("au", "o"), ("ao", "o"),
            ("ue", "u"), ("oe", "o"), ("ae", "a"), ("ie", "i"), ("ee", "i"), ("iy", "i"), ("yi", "i"),
            ("ai", "e"), ("ay", "e"), ("ei", "e"), ("ey", "e"), ("eo", "o"), ("eu", "u"), ("y", "i"),
        ]
        for (letters, sound) in all {
            let spelling = Spelling(letters, sound)
            table[Int(spelling.letters[0] - UInt8(ascii: "a"))].append(spelling)
        }
        return table.map { $0.sorted { $0.letters.count > $1.letters.count } }
    }()

    /// The sound that begins at an index, and how many letters it takes.
    private static func next(_ letters: [UInt8], _ index: Int) -> (sound: [UInt8], length: Int) {
        let letter = letters[index]
        let following = index + 1 < letters.count ? letters[index + 1] : 0
        switch (letter, following) {
        case (UInt8(ascii: "x"), _) where index == 0: return ([UInt8(ascii: "s")], 1)
        case (UInt8(ascii: "h"), UInt8(ascii: "s")) where index == 0: return ([UInt8(ascii: "s")], 2)
        case (UInt8(ascii: "a"), UInt8(ascii: "w")), (UInt8(ascii: "o"), UInt8(ascii: "w")):
            // Before a vowel the w is one of its own: Awad, Kowalski.
            let isOwn = index + 2 < letters.count && isVowel(letters[index + 2])
            if !isOwn { return ([letter == UInt8(ascii: "a") ? UInt8(ascii: "o") : UInt8(ascii: "u")], 2) }
        case (UInt8(ascii: "c"), UInt8(ascii: "e")), (UInt8(ascii: "c"), UInt8(ascii: "i")):
            return ([UInt8(ascii: "s")], 1)
        case (UInt8(ascii: "i"), UInt8(ascii: "j")) where index + 2 == letters.count: return ([UInt8(ascii: "i")], 2)
        case (UInt8(ascii: "n"), UInt8(ascii: "g")):
            // Within one sound only where no vowel follows: Wang, but Mangal.
            let isOne =
                index + 2 == letters.count || !isVowel(letters[index + 2]) && letters[index + 2] != UInt8(ascii: "h")
            if isOne { return ([UInt8(ascii: "q")], 2) }
        default: break
        }
        guard (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter) else { return ([], 1) }
        for spelling in spellings[Int(letter - UInt8(ascii: "a"))]
        where letters[index...].starts(with: spelling.letters) {
            return (spelling.sound, spelling.letters.count)
        }
        return ([letter == UInt8(ascii: "c") ? UInt8(ascii: "k") : letter], 1)
    }
}

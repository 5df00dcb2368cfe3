/// A word of a name with what it is compared by.
///
/// An object, since words are handed about much more often than they are made.
final class NameWord: Sendable {
    /// Small ASCII letters.
    let letters: [UInt8]
    /// The letters folded by sound.
    let sound: [UInt8]
    /// The consonants of the sound.
    let skeleton: [UInt8]
    /// The consonants as they would be read in Latin letters without vowels, where s and h are one sound.
    let skeletonAsRead: [UInt8]
    /// One spelling for the systems of Chinese and Korean; empty for words that are too long for them.
    let neutral: [UInt8]
    /// Which consonants it has, a bit each.
    let consonants: UInt32
    /// The one spelling of names that are one name; nil for a name that has no other.
    let same: String?
    /// Whether vowels may be missing because the script doesn't write them.
    let isUnvowelled: Bool
    /// How much it counts, beside its length, in hundredths.
    let weight: Int

    init(letters: [UInt8], spoken: [UInt8], isUnvowelled: Bool = false, weight: Int = 100) {
        self.letters = letters
        (self.isUnvowelled, self.weight) = (isUnvowelled, weight)
        sound = isUnvowelled ? SoundFold.trimmed(spoken) : SoundFold.fold(spoken)
        let read = SoundFold.skeleton(sound)
        // Where vowels aren't written, an h at the end is one's sign as often as not.
        skeleton = isUnvowelled && read.count > 2 && read.last == UInt8(ascii: "h") ? read.dropLast() : read
        skeletonAsRead = isUnvowelled ? SoundFold.asRead(skeleton) : skeleton
        neutral = isUnvowelled ? [] : EastAsianSpelling.neutral(letters)
        consonants = skeleton.reduce(0) { $0 | 1 << UInt32($1 & 0x1F) }
        same = NameVocabulary.sameNames[String(decoding: letters, as: UTF8.self)]
    }

    /// Consonants that only one of two like words has, at most: a letter taken for another makes two.
    private static let differingConsonantsMax = 4

    /// Whether it is a letter that stands for a name.
    var isInitial: Bool { letters.count == 1 }

    /// Whether names are the same with it and without it.
    var isMinor: Bool { weight < 100 }

    /// Whether it is a Slavic father's name.
    var isPatronymic: Bool {
        guard letters.count > 6 else { return false }
        return NameWord.patronymicEnds.contains { letters.suffix($0.count).elementsEqual($0) }
    }

    /// How much it counts: longer words say more.
    var mass: Int { min(max(letters.count, 3), 8) * weight }

    /// This word and the next as one.
    func joined(to next: NameWord) -> NameWord {
        NameWord(
            letters: letters + next.letters,
            spoken: letters + next.letters,
            isUnvowelled: isUnvowelled || next.isUnvowelled
        )
    }

    /// The likeness of two words, 0 to 1000.
    func likeness(_ other: NameWord) -> Int {
        if letters == other.letters { return 1000 }
        if isInitial || other.isInitial { return hasInitial(of: other) ? 880 : 0 }
        if let same, same == other.same { return 950 }
        if isUnvowelled || other.isUnvowelled { return skeletal(other) }
        if sound == other.sound { return max(letters.count, other.letters.count) > 4 ? 970 : 930 }
        // Words with five consonants that only one of them has are too far apart for the rest to matter.
        if (consonants ^ other.consonants).nonzeroBitCount > NameWord.differingConsonantsMax { return 0 }
        var best = max(
            WordDistance.likeness(letters, other.letters),
            WordDistance.likeness(sound, other.sound) - 10
        )
        // Hardly anybody mistakes the first letter.
        if best < 950, !SoundFold.haveSameStart(sound, other.sound) { best -= 60 }
        if best < 900, best >= 790, skeleton.count >= 3, skeleton == other.skeleton {
            best = max(best, 870)
        }
        if best < 930, hasArticle != other.hasArticle {
            best = max(best, withoutArticle.likeness(other.withoutArticle) - 20)
        }
        if best < 930, !neutral.isEmpty, neutral == other.neutral { best = 930 }
        return best
    }

    private func hasInitial(of other: NameWord) -> Bool {
        guard let mine = letters.first, let its = other.letters.first else { return false }
        return mine == its || sound.first == other.sound.first
    }

    /// Whether the Arabic article may be written as part of it.
    private var hasArticle: Bool {
        letters.count > 5 && letters[1] == UInt8(ascii: "l")
            && (letters[0] == UInt8(ascii: "a") || letters[0] == UInt8(ascii: "e"))
    }

    private var withoutArticle: NameWord {
        guard hasArticle else { return self }
        let rest = Array(letters.dropFirst(2))
        return NameWord(letters: rest, spoken: rest, isUnvowelled: isUnvowelled, weight: weight)
    }

    private func skeletal(_ other: NameWord) -> Int {
        if isUnvowelled && other.isUnvowelled, sound == other.sound { return 1000 }
        guard !skeleton.isEmpty || !other.skeleton.isEmpty else {
            return sound.first == other.sound.first ? 850 : 0
        }
        let isSame = skeleton == other.skeleton || skeletonAsRead == other.skeletonAsRead
        // One consonant is common to too many names, two are to some.
        guard !isSame else { return skeleton.count > 2 ? 960 : skeleton.count > 1 ? 930 : 820 }
        guard min(skeleton.count, other.skeleton.count) > 2 else { return 0 }
        let longest = max(skeleton.count, other.skeleton.count, 2)
        return max(0, 960 - WordDistance.cost(skeleton, other.skeleton) / longest)
    }

    private static let patronymicEnds = ["ovich", "evich", "ovych", "ovna", "evna", "ivna", "ovitch", "evitch"].map {
        Array($0.utf8)
    }
}

extension NameWord: Hashable {
    // All else follows from these.
    static func == (left: NameWord, right: NameWord) -> Bool {
        left.letters == right.letters && left.sound == right.sound && left.isUnvowelled == right.isUnvowelled
            && left.weight == right.weight
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(letters)
        hasher.combine(weight)
    }
}

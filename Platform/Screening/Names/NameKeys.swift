extension ScreenedName {
    /// What the name is looked up by: two names that may be one have a key in common, or are alike by their trigrams.
    ///
    /// Each two words give a key of their consonants by class, and each word of some length one with the other's first
    /// sound, which finds initials and words with a typing error. The whole name gives one, which finds words that are
    /// joined here and not there.
    public var keys: [String] {
        let own = words.filter { !$0.isMinor }
        let words = own.isEmpty ? words : own
        var keys: Set<String> = ["=" + ScreenedName.whole(words)]
        keys.formUnion(ScreenedName.pairs(words, words.map { ScreenedName.skeleton($0.skeleton, $0) }))
        if words.contains(where: { $0.skeletonAsRead != $0.skeleton }) {
            keys.formUnion(ScreenedName.pairs(words, words.map { ScreenedName.skeleton($0.skeletonAsRead, $0) }))
        }
        return keys.sorted()
    }

    private static func pairs(_ words: [NameWord], _ skeletons: [[UInt8]]) -> Set<String> {
        let coarse = skeletons.map { String(decoding: SoundFold.classes($0), as: UTF8.self) }
        let fine = skeletons.map { String(decoding: SoundFold.fineClasses($0), as: UTF8.self) }
        let initials = words.map { $0.sound.first.map(ScreenedName.initial) ?? "" }
        var keys: Set<String> = []
        for first in skeletons.indices {
            for second in skeletons.indices where second != first {
                if first < second { keys.insert([coarse[first], coarse[second]].sorted().joined(separator: "|")) }
                if fine[second].utf8.count > 1 { keys.insert(initials[first] + ":" + fine[second]) }
            }
        }
        return keys
    }

    private static func skeleton(_ skeleton: [UInt8], _ word: NameWord) -> [UInt8] {
        word.same.map { SoundFold.skeleton(SoundFold.fold(Array($0.utf8))) } ?? skeleton
    }

    /// What a word begins with; vowels are one.
    private static func initial(_ sound: UInt8) -> String {
        let folded = SoundFold.isVowel(sound) ? UInt8(ascii: "a") : SoundFold.fineClasses([sound]).first
        return String(decoding: [folded ?? UInt8(ascii: "h")], as: UTF8.self)
    }

    /// The classes of all words' consonants in order of the alphabet: neither the order nor the joints of words change
    /// it.
    private static func whole(_ words: [NameWord]) -> String {
        String(decoding: words.flatMap { SoundFold.classes($0.skeleton) }.sorted(), as: UTF8.self)
    }
}

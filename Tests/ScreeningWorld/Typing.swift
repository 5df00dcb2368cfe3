import Randomness

/// What fingers, ears and scanners do to a name.
enum Typing {
    private static let rows = ["qwertyuiop", "asdfghjkl", "zxcvbnm"].map { Array($0) }

    /// So many slips of the keyboard, in words of four letters and more, at most one a word while there are others.
    static func typos(_ count: Int, in text: String, _ generator: inout SeededRandom) -> String? {
        var words = text.split(separator: " ").map { Array($0) }
        var open = words.indices.filter { words[$0].count >= 4 }
        guard !open.isEmpty else { return nil }
        for _ in 0..<count {
            if open.isEmpty { open = words.indices.filter { words[$0].count >= 6 } }
            guard !open.isEmpty else { break }
            let word = open.remove(at: generator.below(open.count))
            words[word] = slipped(words[word], &generator)
        }
        let result = words.map { String($0) }.joined(separator: " ")
        return result == text ? nil : result
    }

    private static func slipped(_ word: [Character], _ generator: inout SeededRandom) -> [Character] {
        var word = word
        let index = 1 + generator.below(word.count - 1)
        switch generator.below(4) {
        case 0: word.remove(at: index)
        case 1: word.insert(word[index], at: index)
        case 2: if index + 1 < word.count { word.swapAt(index, index + 1) } else { word.swapAt(index, index - 1) }
        default: word[index] = neighbour(of: word[index], &generator)
        }
        return word
    }

    private static func neighbour(of letter: Character, _ generator: inout SeededRandom) -> Character {
        for row in rows {
            guard let index = row.firstIndex(of: letter) else { continue }
            let near = [index - 1, index + 1].filter(row.indices.contains)
            return row[generator.pick(near)]
        }
        return letter
    }

    private static let heard = [
        ("ph", "f"), ("f", "ph"), ("ck", "k"), ("k", "ck"), ("c", "k"), ("i", "y"), ("y", "i"), ("ou", "u"),
        ("u", "ou"),
        ("ss", "s"), ("s", "ss"), ("ll", "l"), ("l", "ll"), ("ee", "i"), ("v", "w"), ("w", "v"), ("t", "th"),
        ("q", "k"),
        ("z", "s"), ("m", "mm"), ("n", "nn"),
    ]

    /// Written down by somebody who has only heard it: up to two sounds by other letters.
    static func byEar(_ text: String, _ generator: inout SeededRandom) -> String? {
        var result = text
        var changes = 0
        for (from, to) in heard.shuffled(using: &generator) where changes < 2 {
            guard let range = result.dropFirst().firstRange(of: from) else { continue }
            result.replaceSubrange(range, with: to)
            changes += 1
        }
        return result == text ? nil : result
    }

    private static let misread: [(String, String)] = [
        ("o", "0"), ("l", "1"), ("s", "5"), ("b", "8"), ("rn", "m"), ("m", "rn"), ("i", "l"), ("e", "c"), ("u", "v"),
    ]

    /// As a scanner reads it: one or two letters taken for others that look alike.
    static func scanned(_ text: String, _ generator: inout SeededRandom) -> String? {
        var result = text
        var changes = 0
        for (from, to) in misread.shuffled(using: &generator) where changes < 1 + generator.below(2) {
            guard let range = result.dropFirst().firstRange(of: from) else { continue }
            result.replaceSubrange(range, with: to)
            changes += 1
        }
        return result == text ? nil : result
    }
}

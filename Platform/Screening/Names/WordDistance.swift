/// How far two words are from each other: the least cost of edits that turn one into the other.
///
/// Optimal string alignment (Damerau–Levenshtein without overlapping transpositions), in thousandths of an edit. What
/// romanisations and ears mix up costs less than what they don't.
enum WordDistance {
    /// A whole edit.
    static let edit = 1000
    /// The cost up to which a difference may be one slip.
    private static let slip = 1100
    /// The longest word that is compared; of longer ones the rest is ignored.
    static let lettersMax = 40

    /// The likeness of two words: 1000 for the same, 0 for nothing in common.
    static func likeness(_ left: [UInt8], _ right: [UInt8]) -> Int {
        let longest = min(max(left.count, right.count), lettersMax)
        guard longest > 0 else { return 0 }
        // Words whose lengths differ by more than half can't come near.
        if abs(left.count - right.count) * 2 > longest { return 0 }
        let cost = cost(left, right)
        // A slip is one edit; a word with several is more likely another word.
        let beyond = max(0, cost - slip) * 6 / 10
        return max(0, 1000 - (cost + beyond) / longest)
    }

    /// The cost of turning one word into the other.
    static func cost(_ left: [UInt8], _ right: [UInt8]) -> Int {
        let columns = min(right.count, lettersMax)
        let rows = min(left.count, lettersMax)
        let factor = max(rows, columns) < 6 ? 15 : 10
        let costs = costs
        return withUnsafeTemporaryAllocation(of: Int.self, capacity: 3 * (lettersMax + 1)) { cells in
            var before = 0
            var above = lettersMax + 1
            var current = 2 * (lettersMax + 1)
            cells[above] = 0
            for column in 0..<columns { cells[above + column + 1] = cells[above + column] + insertion(right[column]) }
            for row in 0..<rows {
                let letter = left[row]
                cells[current] = cells[above] + insertion(letter)
                for column in 0..<columns {
                    let other = right[column]
                    var least = cells[above + column] + (letter == other ? 0 : Int(costs[pair(letter, other)]) * factor)
                    least = min(least, cells[above + column + 1] + insertion(letter))
                    least = min(least, cells[current + column] + insertion(other))
                    if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                        least = min(least, cells[before + column - 1] + 800)
                    }
                    // Scanners read m for rn.
                    if column > 0, letter == m, other == n, right[column - 1] == r {
                        least = min(least, cells[above + column - 1] + lookalike)
                    }
                    if row > 0, letter == n, left[row - 1] == r, other == m {
                        least = min(least, cells[before + column] + lookalike)
                    }
                    cells[current + column + 1] = least
                }
                (before, above, current) = (above, current, before)
            }
            return cells[above + columns]
        }
    }

    /// The cost of letters that look alike.
    private static let lookalike = 450
    private static let m = UInt8(ascii: "m")
    private static let n = UInt8(ascii: "n")
    private static let r = UInt8(ascii: "r")

    /// The cost of a letter that only one of the words has.
    @inline(__always)
    private static func insertion(_ letter: UInt8) -> Int {
        letter == UInt8(ascii: "h") || SoundFold.isVowel(letter) ? 700 : edit
    }

    /// Where the cost of one letter for another stands.
    @inline(__always)
    private static func pair(_ left: UInt8, _ right: UInt8) -> Int { Int(left & 0x1F) << 5 | Int(right & 0x1F) }

    /// Hundredths of an edit by the low five bits of both letters.
    private static let costs: [UInt8] = {
        var costs = [UInt8](repeating: 150, count: 1024)
        func near(_ letters: String, _ cost: UInt8) {
            for left in letters.utf8 {
                for right in letters.utf8 where left != right {
                    let index = pair(left, right)
                    costs[index] = min(costs[index], cost)
                }
            }
        }
        // One letter for quite another is rarer than one too many or too few.
        near("abcdefghijklmnopqrstuvwxyz", 140)
        near("aeiou", 60)
        for letters in ["ae", "ei", "ou", "iy", "ao"] { near(letters, letters == "ao" ? 45 : 30) }
        for letters in ["bp", "dt", "gk", "sz", "vw", "cs", "jg", "ck", "kq", "cz", "dz", "jc", "uw", "lr"] {
            near(letters, 50)
        }
        near("vw", 15)
        for letters in ["il", "ec", "uv", "qn"] { near(letters, 45) }
        for row in ["qwertyuiop", "asdfghjkl", "zxcvbnm"] {
            for (left, right) in zip(row, row.dropFirst()) { near("\(left)\(right)", 80) }
        }
        for letters in ["mn", "fv", "bv", "ts", "ij", "hk", "gh", "tz", "fp", "yj"] { near(letters, 60) }
        return costs
    }()
}

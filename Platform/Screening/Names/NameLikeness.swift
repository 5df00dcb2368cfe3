/// How like two names are, and which words of them made it so.
public struct NameLikeness: Hashable, Sendable {
    /// A word of each name that were taken for one.
    public struct Pair: Hashable, Sendable {
        /// The word of the name that was asked about, in ASCII.
        public let asked: String
        /// The word of the name on the list, in ASCII.
        public let listed: String
        /// Their likeness, 0 to 1000.
        public let likeness: Int
    }

    /// 0 for nothing in common to 1000 for the same.
    public let score: Int
    /// The words that were taken for one, the most like first.
    public let pairs: [Pair]

    /// Words below this likeness aren't taken for one.
    static let pairMin = 620

    /// Compares a name that is asked about with one on a list.
    public init(_ asked: ScreenedName, _ listed: ScreenedName) {
        // Words that are equally like are paired in order: one order for both ways round, so that the score is one.
        let isTurned = NameLikeness.precedes(listed.words, asked.words)
        let best =
            isTurned ? NameLikeness.best(listed.words, asked.words) : NameLikeness.best(asked.words, listed.words)
        score = best.score
        pairs = best.pairs.map {
            let (left, right) = isTurned ? ($0.right, $0.left) : ($0.left, $0.right)
            return Pair(
                asked: String(decoding: left.letters, as: UTF8.self),
                listed: String(decoding: right.letters, as: UTF8.self),
                likeness: $0.likeness
            )
        }
    }

    private static func precedes(_ left: [NameWord], _ right: [NameWord]) -> Bool {
        guard left.count == right.count else { return left.count < right.count }
        return left.lexicographicallyPrecedes(right) { $0.letters.lexicographicallyPrecedes($1.letters) }
    }

    private static func best(_ left: [NameWord], _ right: [NameWord]) -> Assignment {
        let plain = Assignment(left, right)
        // Words written as one here and as two there: only worth a look where words were left over.
        let isPaired = plain.pairs.count == left.count && plain.pairs.count == right.count
        guard plain.score < 940, !isPaired, !plain.pairs.isEmpty || left.count == 1 || right.count == 1 else {
            return plain
        }
        var best = plain
        for joined in joinings(left, right) {
            let other = Assignment(joined, right).lessened(by: 10)
            if other.score > best.score { best = other }
        }
        for joined in joinings(right, left) {
            let other = Assignment(left, joined).lessened(by: 10)
            if other.score > best.score { best = other }
        }
        return best
    }

    /// The words with two neighbours joined, for each two that together are about as long as a word of the other name
    /// with the same beginning.
    private static func joinings(_ words: [NameWord], _ others: [NameWord]) -> [[NameWord]] {
        guard words.count > 1 else { return [] }
        var result: [[NameWord]] = []
        for (first, second) in NameLikeness.neighbours(words.count) {
            let length = words[first].letters.count + words[second].letters.count
            let initial = words[first].sound.first
            let fits = others.contains { abs($0.letters.count - length) <= 2 && $0.sound.first == initial }
            guard fits || words[first].isUnvowelled else { continue }
            var joined = words
            joined[first] = words[first].joined(to: words[second])
            joined.remove(at: second)
            result.append(joined)
        }
        return result
    }

    /// Positions that follow each other; of two words, both ways round.
    private static func neighbours(_ count: Int) -> [(Int, Int)] {
        count == 2 ? [(0, 1), (1, 0)] : (0..<(count - 1)).map { ($0, $0 + 1) }
    }
}

/// The words of two names taken for one another, the most like first.
private struct Assignment {
    struct Pair {
        let left: NameWord
        let right: NameWord
        let likeness: Int
    }

    private(set) var score: Int
    private(set) var pairs: [Pair]

    init(_ left: [NameWord], _ right: [NameWord]) {
        pairs = Assignment.pairs(left, right)
        guard !pairs.isEmpty else {
            score = 0
            return
        }
        // The shorter name must be found in the longer: what of it wasn't found counts as unlike.
        let leftRest = left.reduce(0) { $0 + $1.mass } - pairs.reduce(0) { $0 + $1.left.mass }
        let rightRest = right.reduce(0) { $0 + $1.mass } - pairs.reduce(0) { $0 + $1.right.mass }
        let rest =
            left.count == right.count ? min(leftRest, rightRest) : left.count < right.count ? leftRest : rightRest
        let mass = pairs.reduce(2 * rest) { $0 + $1.left.mass + $1.right.mass }
        let gained = pairs.reduce(0) { $0 + ($1.left.mass + $1.right.mass) * $1.likeness }
        let isWhole = pairs.count == min(left.count, right.count)
        let least = isWhole ? pairs.map(\.likeness).min() ?? 0 : 0
        score = max(0, (2 * (gained / max(mass, 1)) + least) / 3 - Assignment.penalty(left, right, pairs))
    }

    func lessened(by points: Int) -> Assignment {
        var copy = self
        copy.score = max(0, score - points)
        return copy
    }

    /// What is taken off for words that only the longer name has.
    private static func penalty(_ left: [NameWord], _ right: [NameWord], _ pairs: [Pair]) -> Int {
        let missing = max(left.count, right.count) - pairs.count
        guard missing > 0 else { return 0 }
        let own = [left, right].map { words in words.count { !$0.isMinor } }.sorted()
        // One word of several is no name.
        if own[0] < 2, own[1] > 1 { return 250 }
        let initials = pairs.count { $0.left.isInitial || $0.right.isInitial }
        let optional = [left, right].map { words in words.count { $0.isMinor || $0.isPatronymic } }.max() ?? 0
        return min(max(missing - optional, 0), 3) * 25 + initials * 10
    }

    /// Pairs the most like words first; names have few words, so that this differs little from the best assignment.
    private static func pairs(_ left: [NameWord], _ right: [NameWord]) -> [Pair] {
        var candidates: [(likeness: Int, left: Int, right: Int)] = []
        for (row, word) in left.enumerated() {
            for (column, other) in right.enumerated() {
                let likeness = word.likeness(other)
                if likeness >= NameLikeness.pairMin { candidates.append((likeness, row, column)) }
            }
        }
        candidates.sort { ($0.likeness, $1.left, $1.right) > ($1.likeness, $0.left, $0.right) }
        var (leftTaken, rightTaken) = (0, 0)
        var pairs: [Pair] = []
        for (likeness, row, column) in candidates where leftTaken & 1 << row == 0 && rightTaken & 1 << column == 0 {
            (leftTaken, rightTaken) = (leftTaken | 1 << row, rightTaken | 1 << column)
            pairs.append(Pair(left: left[row], right: right[column], likeness: likeness))
        }
        return pairs
    }
}

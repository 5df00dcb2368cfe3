import Randomness

extension SeededRandom {
    /// A text of a few words, some of them beyond ASCII.
    mutating func text() -> String {
        let words = ["amber", "stone", "é", "測試", "🔐", "\n", " ", "Link wallet", "0", "tab\t"]
        return (0..<below(13)).map { _ in pick(words) }.joined()
    }
}

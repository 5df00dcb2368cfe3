import Randomness

/// Names of companies: one or two words of their own, usual words, a form.
enum Companies {
    private static let onsets = [
        "k", "b", "dr", "t", "m", "n", "s", "l", "v", "f", "gr", "z", "p", "r", "st", "h", "tr",
    ]
    private static let nuclei = ["a", "e", "i", "o", "u", "ai", "eo"]
    private static let codas = ["", "n", "r", "x", "l", "s", "nt", "rk", "m", "d"]
    private static let usual = [
        "Trading", "General Trading", "Shipping", "Petroleum", "Industries", "International", "Holdings", "Logistics",
        "Import Export", "Energy", "Technology", "Construction", "Group",
    ]
    private static let forms = ["LLC", "Ltd", "Limited", "GmbH", "Co.", "Corp", "S.A.", "Inc", "FZE", "JSC", "PLC"]

    static func name(_ generator: inout SeededRandom) -> String {
        var words = [own(&generator)]
        if generator.percent(60) { words.append(own(&generator)) }
        if generator.percent(80) { words.append(generator.pick(usual)) }
        words.append(generator.pick(forms))
        return words.joined(separator: " ")
    }

    static func own(_ generator: inout SeededRandom) -> String {
        var word = ""
        for _ in 0..<(2 + generator.below(2)) {
            word += generator.pick(onsets) + generator.pick(nuclei)
        }
        return NamePart.capitalised(word + generator.pick(codas))
    }

    /// Another form, a usual word more or less, capitals.
    static func altered(_ name: String, _ generator: inout SeededRandom) -> String {
        var words = name.split(separator: " ").map(String.init)
        words[words.count - 1] = generator.pick(forms)
        switch generator.below(4) {
        case 0: words.insert(generator.pick(["Global", "Company", "Services"]), at: words.count - 1)
        case 1: words.removeLast()
        case 2: return words.joined(separator: " ").uppercased()
        default: break
        }
        return words.joined(separator: " ")
    }

    /// A company with the same usual words and form, and other words of its own.
    static func stranger(to name: String, _ generator: inout SeededRandom) -> String {
        var words = name.split(separator: " ").map(String.init)
        words[0] = own(&generator)
        if words.count > 1, !usual.joined().contains(words[1]), !forms.contains(words[1]) { words[1] = own(&generator) }
        return words.joined(separator: " ")
    }
}

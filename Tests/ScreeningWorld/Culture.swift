import Randomness

/// Where names come from: each has a grammar of its own.
enum Culture: String, CaseIterable {
    case arabic, slavic, chinese, korean, spanish, persian, westAfrican, germanic

    /// One of a hundred names on a list: lists are made of these cultures about so.
    static let shares: [(Culture, percent: Int)] = [
        (.arabic, 26), (.slavic, 24), (.persian, 15), (.spanish, 14), (.westAfrican, 6), (.germanic, 5), (.chinese, 6),
        (.korean, 4),
    ]

    /// A culture by its share.
    static func drawn(_ generator: inout SeededRandom) -> Culture {
        var rest = generator.below(100)
        for (culture, percent) in shares {
            if rest < percent { return culture }
            rest -= percent
        }
        return .arabic
    }

    var hasOwnScript: Bool {
        switch self {
        case .arabic, .slavic, .chinese, .korean, .persian: true
        case .spanish, .westAfrican, .germanic: false
        }
    }

    var writesGaps: Bool { self != .chinese && self != .korean }

    var countries: [String] {
        switch self {
        case .arabic: ["IQ", "SY", "YE", "LY", "EG", "SA"]
        case .slavic: ["RU", "UA", "BY", "BG"]
        case .chinese: ["CN", "HK", "TW", "SG"]
        case .korean: ["KP", "KR"]
        case .spanish: ["CO", "MX", "VE", "ES", "CU"]
        case .persian: ["IR", "AF"]
        case .westAfrican: ["NG", "GH", "ML", "SN"]
        case .germanic: ["DE", "AT", "CH", "NL"]
        }
    }

    /// A name in the usual order of the culture.
    func name(_ generator: inout SeededRandom) -> [NamePart] {
        switch self {
        case .arabic: SemiticGrammar.name(&generator, isPersian: false)
        case .persian: SemiticGrammar.name(&generator, isPersian: true)
        case .slavic: SlavicGrammar.name(&generator)
        case .chinese: ChineseGrammar.name(&generator)
        case .korean: KoreanGrammar.name(&generator)
        case .spanish: SpanishGrammar.name(&generator)
        case .westAfrican: WestAfricanGrammar.name(&generator)
        case .germanic: GermanicGrammar.name(&generator)
        }
    }
}

import Randomness

/// A way in which the name of one and the same comes out differently.
enum Transformation: String, CaseIterable {
    case same, respelling, script, order, missingMiddle, initial, joint, diacritics, oneTypo, twoTypos, title, nickname,
        patronymic, phonetic, scan, company

    /// The name of a party after it; nil where it doesn't apply.
    func apply(_ party: SyntheticParty, _ generator: inout SeededRandom) -> String? {
        if self == .company { return party.isCompany ? Companies.altered(party.companyName, &generator) : nil }
        if party.isCompany { return self == .same ? party.latin : nil }
        switch self {
        case .same, .company: return party.latin
        case .respelling: return Transformation.respelled(party, &generator)
        case .script: return party.native
        case .order: return Transformation.reordered(party, &generator)
        case .missingMiddle: return Transformation.withoutMiddle(party, &generator)
        case .initial: return Transformation.initialled(party, &generator)
        case .joint: return Transformation.joined(party, &generator)
        case .diacritics:
            let folded = Transformation.withoutMarks(party.latin)
            return folded == party.latin ? nil : folded
        case .oneTypo: return Typing.typos(1, in: party.latin, &generator)
        case .twoTypos: return Typing.typos(2, in: party.latin, &generator)
        case .title: return Transformation.titled(party, &generator)
        case .nickname: return Transformation.nicknamed(party)
        case .patronymic: return Transformation.patronymic(party, &generator)
        case .phonetic: return Typing.byEar(party.latin, &generator)
        case .scan: return Typing.scanned(party.latin, &generator)
        }
    }

    private static func respelled(_ party: SyntheticParty, _ generator: inout SeededRandom) -> String? {
        var words: [String] = []
        var isChanged = false
        for part in party.parts {
            let other = generator.percent(70) ? part.respelled(1 + generator.below(2), &generator) : nil
            isChanged = isChanged || other != nil
            words.append(other ?? part.latin)
        }
        return isChanged ? words.joined(separator: " ") : nil
    }

    private static func reordered(_ party: SyntheticParty, _ generator: inout SeededRandom) -> String? {
        guard party.parts.count > 1, let surname = party.parts.first(where: { $0.role == .surname }) else { return nil }
        let rest = party.parts.filter { $0.role != .surname }.map(\.latin).joined(separator: " ")
        switch generator.below(3) {
        case 0: return "\(surname.latin.uppercased()), \(rest)"
        case 1: return "\(surname.latin) \(rest)"
        default: return "\(rest) \(surname.latin)"
        }
    }

    private static func withoutMiddle(_ party: SyntheticParty, _ generator: inout SeededRandom) -> String? {
        let middles = party.parts.indices.filter {
            party.parts[$0].role == .middle || party.parts[$0].role == .patronymic
        }
        guard !middles.isEmpty else { return nil }
        let dropped = generator.pick(middles)
        return party.parts.indices.filter { $0 != dropped }.map { party.parts[$0].latin }.joined(separator: " ")
    }

    private static func initialled(_ party: SyntheticParty, _ generator: inout SeededRandom) -> String? {
        guard party.parts.contains(where: { $0.role == .middle || $0.role == .patronymic }) else { return nil }
        return party.parts.map { part in
            let isShort = part.role == .middle || part.role == .patronymic
            return isShort ? "\(part.latin.prefix(1))." : part.latin
        }
        .joined(separator: " ")
    }

    private static func joined(_ party: SyntheticParty, _ generator: inout SeededRandom) -> String? {
        var words: [String] = []
        var isChanged = false
        for part in party.parts {
            if let cut = part.cut {
                let pieces = [part.units[..<cut], part.units[cut...]].map { $0.map { $0.latin[0] }.joined() }
                words.append(pieces.map(NamePart.capitalised).joined(separator: generator.pick([" ", "-"])))
                isChanged = true
            } else if part.latin.contains("-") {
                words.append(part.latin.replacing("-", with: generator.pick(["", " "])))
                isChanged = true
            } else {
                words.append(part.latin)
            }
        }
        if !isChanged, words.count > 2 {
            let index = generator.below(words.count - 1)
            words.replaceSubrange(index...(index + 1), with: [words[index] + "-" + words[index + 1]])
            isChanged = true
        }
        return isChanged ? words.joined(separator: " ") : nil
    }

    private static func titled(_ party: SyntheticParty, _ generator: inout SeededRandom) -> String? {
        let titles: [String] =
            switch party.culture {
            case .arabic: ["Sheikh", "Haji", "Dr.", "Al-Hajj"]
            case .persian: ["Mullah", "Seyed", "Haji", "General"]
            case .germanic: ["Dr.", "Prof. Dr.", "Herr"]
            case .spanish: ["Don", "Sr.", "Ing."]
            case .slavic, .chinese, .korean, .westAfrican: ["General", "Dr.", "Mr", "Col."]
            }
        return "\(generator.pick(titles)) \(party.latin)"
    }

    private static func nicknamed(_ party: SyntheticParty) -> String? {
        guard let index = party.parts.firstIndex(where: { $0.nickname != nil }) else { return nil }
        return party.parts.indices.map { ($0 == index ? party.parts[$0].nickname : nil) ?? party.parts[$0].latin }
            .joined(separator: " ")
    }

    private static func patronymic(_ party: SyntheticParty, _ generator: inout SeededRandom) -> String? {
        switch party.culture {
        case .slavic:
            let without = party.parts.filter { $0.role != .patronymic }
            return without.count < party.parts.count ? without.map(\.latin).joined(separator: " ") : nil
        case .arabic:
            var words = party.parts.map(\.latin)
            words.insert(generator.pick(["bin", "ibn", "ben"]), at: words.count - 1)
            return words.joined(separator: " ")
        case .chinese, .korean, .spanish, .persian, .westAfrican, .germanic: return nil
        }
    }

    static func withoutMarks(_ text: String) -> String {
        let marked = Array("áéíóúñüöäÁÉÍÓÚÑÜÖÄ")
        let plain = Array("aeiounuoaAEIOUNUOA")
        return String(text.map { letter in marked.firstIndex(of: letter).map { plain[$0] } ?? letter })
    }
}

/// Cyrillic letters in ASCII: Russian, Ukrainian, Belarusian, Bulgarian, Serbian, Macedonian and Kazakh ones.
enum CyrillicLetters {
    /// The letters for one; empty for signs without a sound, nil for what is no letter.
    static func reading(of value: UInt32) -> [UInt8]? { table[small(value)].map { Array($0.utf8) } }

    /// The small letter of one: the blocks of capitals lie before those of small letters.
    private static func small(_ value: UInt32) -> UInt32 {
        switch value {
        case 0x400...0x40F: value + 0x50
        case 0x410...0x42F: value + 0x20
        case 0x460...0x481, 0x48A...0x4BF, 0x4D0...0x52F: value | 1
        default: value
        }
    }

    private static let table: [UInt32: String] = {
        var table: [UInt32: String] = [:]
        let russian = [
            "a", "b", "v", "g", "d", "e", "zh", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f",
            "kh", "ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya",
        ]
        for (offset, letters) in russian.enumerated() { table[0x430 + UInt32(offset)] = letters }
        let others: [UInt32: String] = [
            0x451: "e", 0x452: "dj", 0x453: "g", 0x454: "ye", 0x455: "dz", 0x456: "i", 0x457: "yi", 0x458: "y",
            0x459: "ly", 0x45A: "ny", 0x45B: "ch", 0x45C: "k", 0x45D: "i", 0x45E: "u", 0x45F: "dj", 0x491: "g",
            0x493: "g", 0x49B: "k", 0x4A3: "n", 0x4AF: "u", 0x4B1: "u", 0x4BB: "h", 0x4D9: "a", 0x4E9: "o",
        ]
        for (value, letters) in others { table[value] = letters }
        return table
    }()
}

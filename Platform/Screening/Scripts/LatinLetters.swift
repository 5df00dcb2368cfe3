/// Latin letters with marks, as ASCII.
enum LatinLetters {
    /// The plain letters, and letters that sound like it; nil for what is no letter.
    ///
    /// The base letter is read from the character's name in Unicode (`LATIN SMALL LETTER O WITH STROKE`), so that no
    /// table of a thousand letters has to be kept.
    static func reading(of scalar: Unicode.Scalar) -> (letters: [UInt8], spoken: [UInt8])? {
        if let special = special(scalar.value) { return (special, special) }
        guard let name = scalar.properties.name, let range = name.range(of: " LETTER ") else { return nil }
        let rest = name[range.upperBound...]
        guard let first = rest.utf8.first, (0x41...0x5A).contains(first) else { return nil }
        let afterFirst = rest.dropFirst()
        guard afterFirst.isEmpty || afterFirst.hasPrefix(" ") else {
            return rest.hasPrefix("DOTLESS I") ? ([i], [i]) : nil
        }
        let letter = first | 0x20
        let mark = mark(of: afterFirst)
        return ([letter], mark.map { spoken(letter, mark: $0) } ?? [letter])
    }

    /// How a letter with a combining mark sounds.
    static func spoken(_ letter: UInt8, mark: UInt32) -> [UInt8] {
        switch (letter, mark) {
        case (UInt8(ascii: "c"), 0x30C), (UInt8(ascii: "c"), 0x301): Array("ch".utf8)
        case (UInt8(ascii: "s"), 0x30C), (UInt8(ascii: "s"), 0x327): Array("sh".utf8)
        case (UInt8(ascii: "z"), 0x30C): Array("zh".utf8)
        case (UInt8(ascii: "n"), 0x303): Array("ny".utf8)
        default: [letter]
        }
    }

    private static let i = UInt8(ascii: "i")

    private static func mark(of words: Substring) -> UInt32? {
        if words.hasSuffix(" WITH CARON") { return 0x30C }
        if words.hasSuffix(" WITH ACUTE") { return 0x301 }
        if words.hasSuffix(" WITH CEDILLA") { return 0x327 }
        return words.hasSuffix(" WITH TILDE") ? 0x303 : nil
    }

    private static func special(_ value: UInt32) -> [UInt8]? {
        switch value {
        case 0xC6, 0xE6: Array("ae".utf8)
        case 0xD0, 0xF0: Array("d".utf8)
        case 0xDE, 0xFE: Array("th".utf8)
        case 0xDF, 0x1E9E: Array("ss".utf8)
        case 0x152, 0x153: Array("oe".utf8)
        case 0x18F, 0x259: Array("a".utf8)
        default: nil
        }
    }
}

extension String {
    /// Where a text begins in this one for the first time.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}

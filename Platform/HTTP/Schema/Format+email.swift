extension Format {
    /// An e-mail address of the plain kind: `local@domain.tld`, ASCII, no quotes, at most 254 characters.
    public static let email = Format(
        "email",
        pattern: "^[A-Za-z0-9_%+-]{1,32}(\\.[A-Za-z0-9_%+-]{1,31})?@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
            + "(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?){1,2}$",
        length: 3...254,
        description: "An e-mail address.",
        example: "ada@example.com"
    ) { isEmail($0) ? nil : "bad_format" }

    // RFC 5321 §4.1.2 without quoted strings and address literals; lengths by §4.5.3.1.
    private static func isEmail(_ text: String) -> Bool {
        guard text.utf8.count <= 254 else { return false }
        let sides = text.split(separator: "@", omittingEmptySubsequences: false)
        guard sides.count == 2, sides[0].utf8.count <= 64, sides[1].utf8.count <= 253 else { return false }
        let atoms = sides[0].split(separator: ".", omittingEmptySubsequences: false)
        let labels = sides[1].split(separator: ".", omittingEmptySubsequences: false)
        return atoms.allSatisfy(isAtom) && labels.count >= 2 && labels.allSatisfy(isLabel)
    }

    private static func isAtom(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                isWord($0) || $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-")
            }
    }

    private static func isLabel(_ text: Substring) -> Bool {
        (1...63).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.last != UInt8(ascii: "-")
            && text.utf8.allSatisfy { (isWord($0) && $0 != UInt8(ascii: "_")) || $0 == UInt8(ascii: "-") }
    }
}

import HTTP

extension Format {
    /// A telephone number as the world dials it (E.164): `+` and 7 to 15 digits, none of the first a zero.
    static let phone = Format(
        "phone",
        pattern: "^\\+[1-9][0-9]{6,14}$",
        length: 8...16,
        description: "A telephone number with its country's code (E.164).",
        example: "+351912345678"
    ) { text in
        let digits = text.utf8.dropFirst()
        let areDigits = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let isPlausible = areDigits && (7...15).contains(digits.count) && digits.first != UInt8(ascii: "0")
        return text.utf8.first == UInt8(ascii: "+") && isPlausible ? nil : "bad_format"
    }
}

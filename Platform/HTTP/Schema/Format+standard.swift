import Kernel

extension Format {
    /// An amount of money: digits, optional fraction, no sign, no exponent, no leading zeros.
    ///
    /// Whether the asset has that many decimals is for who knows the asset: `Money(wire:_:)`.
    public static let amount = Format(
        "amount",
        pattern: "^(0|[1-9][0-9]{0,19})(\\.[0-9]{1,18})?$",
        length: 1...39,
        description: "An amount in units of the asset, as a decimal string.",
        example: "12.34"
    ) { text in
        guard text.utf8.count <= 39 else { return "too_long" }
        if let dot = text.utf8.firstIndex(of: UInt8(ascii: ".")),
            text.utf8.distance(from: text.startIndex, to: dot) > 20
        {
            return AmountError.overflow.rawValue
        }
        do throws(AmountError) {
            // At scale 18 the twenty places before the point are what `numeric(38,0)` still holds.
            _ = try DecimalText.parse(text, scale: 18)
            return nil
        } catch {
            return error.rawValue
        }
    }

    /// An amount of money above zero, as requests to move it carry one.
    public static let positiveAmount = Format(
        "positive_amount",
        pattern: "^(?!0(\\.0+)?$)(0|[1-9][0-9]{0,19})(\\.[0-9]{1,18})?$",
        length: 1...39,
        description: "An amount above zero in units of the asset, as a decimal string.",
        example: "12.34"
    ) { text in
        if let fault = Format.amount.fault(in: text) { return fault }
        return text.utf8.contains { (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) } ? nil : "not_positive"
    }

    /// The code of an asset of the platform.
    public static let asset = Format(
        "asset",
        pattern: "^(" + Asset.all.map(\.code).joined(separator: "|") + ")$",
        length: 3...4,
        description: "The code of an asset.",
        example: "USD"
    ) { Asset(code: $0) == nil ? "unknown_asset" : nil }

    /// A cursor of `Page`, opaque to clients.
    public static let cursor = Format(
        "cursor",
        pattern: "^[A-Za-z0-9_-]{54}[AEIMQUYcgkosw048]$",
        length: 55...55,
        description: "An opaque position in a list."
    ) { text in
        // 41 bytes in base64url: the last character has two bits to spare.
        text.utf8.count == 55 && Base64URL.decode(text) != nil ? nil : "bad_format"
    }

    /// A username: lower case, 3 to 30 characters, a letter first.
    public static let username = Format.ascii(
        "username",
        pattern: "^[a-z][a-z0-9_]{2,29}$",
        length: 3...30,
        description: "Lower case letters, digits and `_`, a letter first.",
        example: "ada_lovelace"
    ) { byte, index in
        isLower(byte) || (index > 0 && (isDigit(byte) || byte == UInt8(ascii: "_")))
    }

    /// An instant of RFC 3339 in UTC with up to six decimals of a second.
    public static let instant = Format(
        "instant",
        pattern:
            "^(19[7-9][0-9]|20[0-9]{2})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
            + "|02-(0[1-9]|1[0-9]|2[0-8]))T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?Z$",
        length: 20...27,
        description: "An instant in UTC (RFC 3339).",
        example: "2026-11-20T08:30:00.123456Z"
    ) { Timestamp($0) == nil ? "bad_format" : nil }

    /// A day of the calendar: `2026-11-20`.
    public static let day = Format(
        "day",
        pattern: "^(19[0-9]{2}|20[0-9]{2})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
            + "|02-(0[1-9]|1[0-9]|2[0-8]))$",
        length: 10...10,
        description: "A day of the calendar.",
        example: "2026-11-20"
    ) { CalendarDay($0) == nil ? "bad_format" : nil }

    /// A country by ISO 3166-1 alpha-2; whether it exists is for who needs to know.
    public static let country = Format.ascii(
        "country",
        pattern: "^[A-Z]{2}$",
        length: 2...2,
        description: "A country (ISO 3166-1 alpha-2).",
        example: "PT"
    ) { byte, _ in byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
    static func isLower(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") }
    static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || isLower(byte | 0x20) || byte == UInt8(ascii: "_")
    }
}

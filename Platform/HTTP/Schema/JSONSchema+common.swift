extension JSONSchema {
    /// An amount of money as a decimal string.
    public static let amount = JSONSchema.string(.amount)
    /// An amount of money above zero as a decimal string.
    public static let positiveAmount = JSONSchema.string(.positiveAmount)
    /// The code of an asset.
    public static let asset = JSONSchema.string(.asset)
    /// An instant in UTC.
    public static let instant = JSONSchema.string(.instant)
    /// A day of the calendar.
    public static let day = JSONSchema.string(.day)
    /// An e-mail address.
    public static let email = JSONSchema.string(.email)
    /// A username.
    public static let username = JSONSchema.string(.username)

    /// A page of a list as `Page.json` makes it: `data`, and `next_cursor` where there is more.
    public static func page(of entry: JSONSchema, named: String) -> JSONSchema {
        .object(
            [
                .required("data", .array(of: entry, count: 0...Page.limitMax)),
                .required("next_cursor", .nullable(.string(.cursor)), "Where to go on; null on the last page."),
            ],
            named: named
        )
    }
}

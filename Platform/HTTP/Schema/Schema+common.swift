extension Schema {
    /// An amount of money as a decimal string.
    public static let amount = Schema.string(.amount)
    /// An amount of money above zero as a decimal string.
    public static let positiveAmount = Schema.string(.positiveAmount)
    /// The code of an asset.
    public static let asset = Schema.string(.asset)
    /// An instant in UTC.
    public static let instant = Schema.string(.instant)
    /// A day of the calendar.
    public static let day = Schema.string(.day)
    /// An e-mail address.
    public static let email = Schema.string(.email)
    /// A username.
    public static let username = Schema.string(.username)

    /// A page of a list as `Page.json` makes it: `data`, and `next_cursor` where there is more.
    public static func page(of entry: Schema, named: String) -> Schema {
        .object(
            [
                .required("data", .array(of: entry, count: 0...Page.limitMax)),
                .required("next_cursor", .nullable(.string(.cursor)), "Where to go on; null on the last page."),
            ],
            named: named
        )
    }
}

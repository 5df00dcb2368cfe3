import HTTP

/// The rules of usernames beyond their format.
enum Username {
    /// Names that would pass for the platform's own.
    private static let reserved: Set<String> = [
        "admin", "administrator", "compliance", "diboas", "help", "moderator", "official", "operator", "root",
        "security",
        "staff", "support", "system",
    ]

    /// Whether a text has the format of a username.
    static func isPossible(_ text: String) -> Bool { Format.username.fault(in: text) == nil }

    /// Whether nobody may have it.
    static func isReserved(_ text: String) -> Bool { reserved.contains(text) }
}

import HTTP

/// An e-mail address in the one form in which it is stored and compared: lower case.
///
/// Only ASCII addresses are taken, so that lower case needs no table of letters that could differ between systems.
struct Email: Hashable, Sendable {
    let text: String

    /// Reads an address in either case; nil for what isn't one.
    init?(_ text: String) {
        guard Format.email.fault(in: text) == nil else { return nil }
        self.text = text.lowercased()
    }

    /// What stands before the `@`.
    var localPart: Substring { text.prefix { $0 != "@" } }
}

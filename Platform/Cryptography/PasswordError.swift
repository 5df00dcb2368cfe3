/// Why a password is not taken, or could not be worked on.
public enum PasswordError: Error, Hashable, Sendable {
    /// Fewer than `Password.charactersMin` code points.
    case tooShort
    /// More than `Password.bytesMax` bytes in UTF-8; bcrypt would ignore the rest.
    case tooLong
    /// U+0000, at which bcrypt would stop.
    case containsNUL
    /// A word list or a simple pattern has it; the reason is cracklib's, in English, for people.
    case weak(reason: String)
    /// The word list isn't there (package `cracklib-runtime`), or the file of breached passwords can't be read.
    case dictionaryUnavailable
    /// A stored hash that isn't bcrypt's or costs more than `PasswordHasher.costs` allows.
    case malformedHash
    /// Too much work is waiting; the same call may succeed later.
    case overloaded
    /// The library failed with this code.
    case libraryFailure(code: Int32)
}

/// A password that bcrypt takes in whole: long enough, at most 72 bytes, without NUL.
public struct Password: Sendable {
    /// The fewest code points (counted as NIST SP 800-63B §5.1.1 does).
    public static let charactersMin = 10
    /// The most bytes in UTF-8, after which bcrypt stops reading.
    public static let bytesMax = 72

    let text: String

    /// A password to be set; its strength is not checked here but by `PasswordHasher.checkStrength`.
    ///
    /// - Throws: `containsNUL`, `tooLong`, `tooShort`, in this order.
    public init(_ text: String) throws(PasswordError) {
        guard !text.utf8.contains(0) else { throw .containsNUL }
        guard text.utf8.count <= Password.bytesMax else { throw .tooLong }
        guard text.unicodeScalars.count >= Password.charactersMin else { throw .tooShort }
        self.text = text
    }
}

extension Password: CustomStringConvertible, CustomReflectable {
    /// Never the password.
    public var description: String { "(password)" }
    /// Never the password.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

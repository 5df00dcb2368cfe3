public import Cryptography

/// What works on passwords; `PasswordHasher` does.
public protocol PasswordHashing: Sendable {
    /// A new hash.
    func hash(_ password: Password) async throws(PasswordError) -> String
    /// Whether a text is the password of a hash.
    func verify(_ text: String, against hash: String) async throws(PasswordError) -> Bool
    /// Does the work of one `verify`, for a user who doesn't exist.
    func verifyNothing() async throws(PasswordError)
    /// Whether a hash was made with another cost than new ones are.
    func needsRehash(_ hash: String) -> Bool
    /// Refuses what is easy to guess.
    func checkStrength(_ password: Password) async throws(PasswordError)
}

extension PasswordHasher: PasswordHashing {}

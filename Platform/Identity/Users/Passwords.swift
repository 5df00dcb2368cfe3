import Cryptography
import HTTP
import Kernel

/// Passwords as users set and type them.
struct Passwords: Sendable {
    /// Parts of the user's own names that are this long may not be in the password, in characters.
    private static let ownNameLengthMin = 4

    let hasher: any PasswordHashing

    /// The hash of a password that is to be set.
    ///
    /// - Throws: 422 `weak_password`, 400 for a length, 503 when too many wait.
    func set(_ text: String, email: Email, username: String) async throws -> String {
        do throws(PasswordError) {
            let password = try Password(text)
            for name in [String(email.localPart), username] where name.count >= Self.ownNameLengthMin {
                if text.lowercased().contains(name) { throw .weak(reason: "it contains your own name") }
            }
            try await hasher.checkStrength(password)
            return try await hasher.hash(password)
        } catch {
            throw IdentityProblem.from(error)
        }
    }

    /// Whether a text is the password of a user; without one the same work is done, so that the time says nothing.
    func check(_ text: String, of user: UserRecord?) async throws -> Bool {
        do throws(PasswordError) {
            guard let user else {
                try await hasher.verifyNothing()
                return false
            }
            return try await hasher.verify(text, against: user.passwordHash)
        } catch {
            throw IdentityProblem.from(error)
        }
    }

    /// A new hash of a password that was right, when the stored one was made with another cost; else nil.
    func rehash(_ text: String, of user: UserRecord) async throws -> String? {
        guard hasher.needsRehash(user.passwordHash) else { return nil }
        do throws(PasswordError) {
            return try await hasher.hash(Password(text))
        } catch {
            // It was good enough to sign in; that it is short by today's rule is no reason to refuse.
            return nil
        }
    }
}

extension Format {
    /// A password that is to be set: 10 characters at least, 72 bytes in UTF-8 at most.
    static let newPassword = Format(
        "new_password",
        pattern: "^[ -~]{10,72}$",
        length: 10...72,
        description: "At least 10 characters, at most 72 bytes in UTF-8.",
        example: "correct horse staple"
    ) { text in
        do throws(PasswordError) {
            _ = try Password(text)
            return nil
        } catch {
            switch error {
            case .tooShort: return "too_short"
            case .tooLong: return "too_long"
            default: return "nul"
            }
        }
    }

    /// A password that is typed, right or wrong.
    static let typedPassword = Format(
        "password",
        pattern: "^[ -~]{1,72}$",
        length: 1...512,
        description: "The password.",
        example: "correct horse staple"
    ) { text in
        if text.isEmpty { return "too_short" }
        if text.utf8.count > 512 { return "too_long" }
        return text.utf8.contains(0) ? "nul" : nil
    }
}

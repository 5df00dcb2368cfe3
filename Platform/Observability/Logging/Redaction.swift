/// Keeps secrets out of logs: by the name that they stand under, and by what they look like.
public enum Redaction {
    /// What stands in a secret's place.
    public static let mark = "[redacted]"

    private static let secretParts = [
        "password", "passwd", "passphrase", "secret", "token", "authorization", "cookie", "credential", "mnemonic",
        "private_key", "privatekey", "api_key", "apikey", "api-key", "signing_key", "encryption_key", "otp", "cvc",
        "cvv",
    ]
    private static let secretPrefixes = ["sk_", "rk_", "whsec_", "ghp_", "wbhsec_"]
    private static let separators = Set(" \t\r\n\"'`,;()[]{}<>=&|")

    /// Whether what stands under a name is a secret, whatever it looks like.
    public static func isSecret(name: String) -> Bool {
        let name = name.lowercased()
        return secretParts.contains { name.contains($0) }
    }

    /// The text with every secret in it replaced: bearer tokens, JWTs, keys of providers by their prefixes, passwords
    /// in URLs, PEM blocks, card numbers, and what follows a secret's name and `=` or `:`.
    public static func redact(_ text: String) -> String {
        if let pem = text.firstRange(of: "-----BEGIN") { return redact(String(text[..<pem.lowerBound])) + mark }
        var result = ""
        result.reserveCapacity(text.utf8.count)
        var word = ""
        var expectsSecret = false
        for character in text {
            guard separators.contains(character) else {
                word.append(character)
                continue
            }
            flush(&word, into: &result, &expectsSecret, before: character)
            result.append(character)
        }
        flush(&word, into: &result, &expectsSecret, before: nil)
        return CardNumbers.redact(result)
    }

    private static func flush(
        _ word: inout String,
        into result: inout String,
        _ expectsSecret: inout Bool,
        before separator: Character?
    ) {
        guard !word.isEmpty else { return }
        defer { word = "" }
        if expectsSecret, word != ":" {
            // `Authorization: Bearer x` has a word in between.
            let isScheme = ["bearer", "basic"].contains(word.lowercased())
            result += isScheme ? word : mark
            expectsSecret = isScheme
            return
        }
        if word == ":" {
            result += word
            return
        }
        let bare = word.hasSuffix(":") ? String(word.dropLast()) : word
        let isName = word.hasSuffix(":") || separator == "=" || separator == "\""
        let isScheme = word.lowercased() == "bearer"
        expectsSecret = isScheme || (isName && isSecret(name: bare) && bare.count <= 64)
        result += redactedWord(word)
    }

    private static func redactedWord(_ word: String) -> String {
        if secretPrefixes.contains(where: word.hasPrefix) { return mark }
        if word.hasPrefix("eyJ"), word.filter({ $0 == "." }).count == 2 { return mark }
        if let colon = word.firstIndex(of: ":"), isSecret(name: String(word[..<colon])), !word.hasSuffix(":") {
            return String(word[...colon]) + mark
        }
        return withoutPassword(word)
    }

    /// `postgres://user:pass@host` → `postgres://user:[redacted]@host`.
    private static func withoutPassword(_ word: String) -> String {
        guard let scheme = word.firstRange(of: "://") else { return word }
        let rest = word[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") else {
            return word
        }
        return word[...colon] + mark + word[at...]
    }
}

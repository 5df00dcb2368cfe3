import CCracklib
import Synchronization

/// Cracklib with its word list.
enum PasswordDictionary {
    // cracklib keeps the open word list and its scratch text in globals.
    private static let lock = Mutex(())

    /// What cracklib has against a password; nil is nothing.
    ///
    /// The plain `FascistCheck` ends the process when the word list is missing; Debian's variant says so instead.
    static func objection(to text: String, path: String) -> Result<String?, PasswordError> {
        lock.withLock { _ in
            var reason = [CChar](repeating: 0, count: 256)
            let done = __DEBIAN_SPECIFIC__SafeFascistCheck(text, path, &reason, reason.count - 1)
            guard done == 1 else { return .failure(.dictionaryUnavailable) }
            let bytes = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return .success(bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self))
        }
    }
}

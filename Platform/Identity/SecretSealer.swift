import Cryptography
import HTTP
import Kernel
import PostgreSQL

/// Seals secrets of users for the database; what is sealed for one user and purpose opens for no other.
struct SecretSealer: Sendable {
    /// What a secret is for.
    enum Purpose: String {
        case secondFactor = "second_factor"
        case apiKey = "api_key"
    }

    /// The ring of master keys; nil in a process that has none, as a command of an operator.
    let keys: SealingKeys?

    /// The envelope of a secret.
    ///
    /// - Throws: 503 in a process without master keys.
    func seal(_ secret: [UInt8], for purpose: Purpose, of owner: UInt128) throws -> Bytes {
        Bytes(try require().seal(secret, associatedData: SecretSealer.context(purpose, owner)))
    }

    /// The secret in an envelope.
    ///
    /// - Throws: 503 in a process without master keys, or a `SealingError`.
    func open(_ envelope: Bytes, for purpose: Purpose, of owner: UInt128) throws -> [UInt8] {
        try require().open(envelope.array, associatedData: SecretSealer.context(purpose, owner))
    }

    private func require() throws(Problem) -> SealingKeys {
        guard let keys else {
            throw Problem(503, "no_master_keys", "This process has no master keys.", retryAfterSeconds: 60)
        }
        return keys
    }

    private static func context(_ purpose: Purpose, _ owner: UInt128) -> [UInt8] {
        Array("\(purpose.rawValue):\(ID<User>(owner))".utf8)
    }
}

import Crypto

/// HMAC with SHA-512 (RFC 2104, FIPS 198-1).
public enum HMACSHA512 {
    /// The 64 bytes of the code over `message`.
    public static func code(over message: [UInt8], key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA512>.authenticationCode(for: message, using: SymmetricKey(data: key)))
    }
}

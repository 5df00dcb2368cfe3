import CBotan

/// Botan's hash functions, which swift-crypto lacks.
enum BotanDigest {
    /// The digest of `count` bytes by one of Botan's names.
    ///
    /// The library refuses a name only when it was built without that function, which nothing at run time can mend.
    static func of(_ bytes: [UInt8], algorithm: String, count: Int) -> [UInt8] {
        var hash: botan_hash_t?
        let opened = botan_hash_init(&hash, algorithm, 0)
        precondition(opened == 0, "Botan was built without \(algorithm)")
        defer { botan_hash_destroy(hash) }
        var digest = [UInt8](repeating: 0, count: count)
        let updated = botan_hash_update(hash, bytes, bytes.count)
        let finished = botan_hash_final(hash, &digest)
        precondition(updated == 0 && finished == 0, "Botan failed in \(algorithm)")
        return digest
    }
}

/// Keccak-256 as Ethereum uses it: the padding from before FIPS 202, so its digests are not those of SHA3-256.
public enum Keccak256 {
    /// The 32 bytes of the digest.
    public static func of(_ bytes: [UInt8]) -> [UInt8] {
        BotanDigest.of(bytes, algorithm: "Keccak-1600(256)", count: 32)
    }
}

/// RIPEMD-160 (ISO/IEC 10118-3).
public enum RIPEMD160 {
    /// The 20 bytes of the digest.
    public static func of(_ bytes: [UInt8]) -> [UInt8] { BotanDigest.of(bytes, algorithm: "RIPEMD-160", count: 20) }
}

/// BLAKE2b without a key (RFC 7693) and with a digest of 256 bits.
public enum BLAKE2b256 {
    /// The 32 bytes of the digest.
    public static func of(_ bytes: [UInt8]) -> [UInt8] { BotanDigest.of(bytes, algorithm: "Blake2b(256)", count: 32) }
}

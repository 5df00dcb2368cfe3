import Cryptography
public import Kernel

/// Recognises what must never come here: keys and phrases that spend.
///
/// A private key of 32 bytes alone, in hexadecimal or Base 64, looks like any digest and can't be recognised.
public enum PrivateMaterial: String, Hashable, Sendable {
    /// xprv and its kin (BIP-32, SLIP-132).
    case extendedKey = "extended_private_key"
    /// Bitcoin's wallet import format, or a key encrypted by BIP-38.
    case importFormat = "wallet_import_format"
    /// `suiprivkey1…`.
    case suiKey = "sui_private_key"
    /// Seed and public key of ed25519, 64 bytes: Base 58, Base 64, hexadecimal, or an array of numbers.
    case ed25519Pair = "ed25519_secret_key"
    /// Twelve words or more of BIP-39's English list in a row, whether or not their checksum fits.
    case phrase = "recovery_phrase"
    /// A private key in PEM.
    case pem = "pem_private_key"
    /// More texts that look like keys than are looked at: one of them may be.
    case tooManyLookAlikes = "too_many_look_alikes"

    /// What a text contains, first found first; nil for nothing.
    public static func find(in text: String) -> PrivateMaterial? {
        var scanner = PrivateMaterialScanner()
        return scanner.scan(text)
    }

    /// What the names and texts of a value contain, a phrase spread over several texts included; nil for nothing.
    public static func find(in json: JSON) -> PrivateMaterial? {
        var scanner = PrivateMaterialScanner()
        return scanner.scan(json)
    }
}

/// What a wallet's signature turned out to be.
public enum ProofVerdict: Hashable, Sendable {
    /// The account's key made it over this message.
    case valid
    /// It doesn't prove anything.
    case invalid(ProofFault)
    /// A form that isn't checked here; it proves as little as an invalid one.
    case unsupported

    /// Whether it is `valid`.
    public var isValid: Bool { self == .valid }
}

/// Why a signature doesn't prove the account.
public enum ProofFault: String, Error, Hashable, Sendable {
    /// The address is none of the chain.
    case malformedAddress = "malformed_address"
    /// The signature isn't written as the form has it: wrong length, alphabet, header or framing.
    case malformedSignature = "malformed_signature"
    /// The message has more bytes or other characters than the form allows.
    case malformedMessage = "malformed_message"
    /// The larger of the two possible s (EIP-2, BIP-146).
    case highS = "high_s"
    /// A key of small order, not canonical, or not on the curve.
    case weakKey = "weak_key"
    /// The key in the signature belongs to another address.
    case otherKey = "other_key"
    /// Well-formed, but not made over this message by this account.
    case mismatch
    /// The signature field holds a secret key; it must be neither stored nor logged.
    case privateMaterial = "private_material"
}

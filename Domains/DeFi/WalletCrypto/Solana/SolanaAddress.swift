import Cryptography

/// An address of Solana: a key of ed25519, or 32 bytes off the curve that a program derives.
public struct SolanaAddress: Hashable, Sendable, CustomStringConvertible {
    /// The most characters of an address.
    public static let charactersMax = 44
    /// The most seeds of a derived address, and the most bytes of each.
    public static let seedsMax = 16, seedBytesMax = 32
    /// The program that owns token accounts: SPL Token.
    public static let tokenProgram = SolanaAddress(known: "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
    /// The program that derives them for owner and token.
    public static let associatedTokenProgram = SolanaAddress(known: "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")

    /// The program that moves the coin: 32 zero bytes.
    public static let systemProgram = SolanaAddress(known: "11111111111111111111111111111111")
    /// The program that is told what a transaction offers for its compute units.
    public static let computeBudgetProgram = SolanaAddress(known: "ComputeBudget111111111111111111111111111111")

    /// Its 32 bytes.
    public let bytes: [UInt8]

    /// An address of 32 bytes; nil for another number of them.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// Reads Base 58 of 32 bytes; nil for anything else.
    public init?(_ text: String) {
        guard (32...Self.charactersMax).contains(text.utf8.count), let bytes = Base58.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    private init(known text: String) { bytes = Base58.decode(text) ?? [] }

    /// Whether it is a point of the curve; one that isn't has no key and can't sign.
    public var isOnCurve: Bool { Ed25519.isOnCurve(bytes) }

    /// Whether somebody can prove to own it: on the curve, canonical, and not of small order.
    public var isLinkable: Bool { Ed25519.isUsable(publicKey: bytes) && isOnCurve }

    /// The address that a program derives from seeds, with the bump (255 downwards) that takes it off the curve.
    ///
    /// Nil for too many or too long seeds, and when no bump fits, which has a probability of 2^-256.
    public static func derived(seeds: [[UInt8]], program: SolanaAddress) -> (address: SolanaAddress, bump: UInt8)? {
        guard seeds.count < seedsMax, seeds.allSatisfy({ $0.count <= seedBytesMax }) else { return nil }
        let prefix = seeds.flatMap { $0 }
        for bump in (0...UInt8.max).reversed() {
            let digest = SHA256Digest.of(prefix + [bump] + program.bytes + Array("ProgramDerivedAddress".utf8))
            if !Ed25519.isOnCurve(digest) { return SolanaAddress(bytes: digest).map { ($0, bump) } }
        }
        return nil
    }

    /// The account that holds a token (`mint`) for an owner.
    public static func tokenAccount(owner: SolanaAddress, mint: SolanaAddress) -> SolanaAddress? {
        derived(seeds: [owner.bytes, tokenProgram.bytes, mint.bytes], program: associatedTokenProgram)?.address
    }

    /// Base 58.
    public var description: String { Base58.encode(bytes) }
}

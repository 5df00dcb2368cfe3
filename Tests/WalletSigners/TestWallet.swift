import Crypto
import Cryptography
public import WalletCrypto

/// A wallet with its key, as a user's device is one: it signs what it is shown.
public struct TestWallet: Sendable {
    private enum Key: Sendable {
        case bitcoin(Signer)
        case ethereum(Signer)
        case solana(seed: [UInt8])
        case sui(seed: [UInt8])
    }

    /// Its account's name across chains (CAIP-10).
    public let account: String
    private let key: Key

    /// The chains, by the name that `make` takes.
    public static let chains = ["bitcoin", "ethereum", "solana", "sui"]

    /// A wallet of a chain with a random key: `bitcoin` on mainnet (P2WPKH), `ethereum` on the chain that `reference`
    /// names, `solana` and `sui` on mainnet.
    public static func make(_ chain: String, reference: String = "1") throws -> TestWallet {
        var random = SystemRandomNumberGenerator()
        return try make(chain, reference: reference, &random)
    }

    /// The same with a key that is the same for the same seed.
    public static func make(
        _ chain: String,
        reference: String = "1",
        _ random: inout some RandomNumberGenerator
    ) throws -> TestWallet {
        switch chain {
        case "bitcoin": return try bitcoin(Signer(&random))
        case "ethereum": return ethereum(try Signer(&random), reference: reference)
        case "solana": return try solana(seed: (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
        default: return try sui(seed: (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }

    /// A wallet of Ethereum or a chain like it.
    public static func ethereum(_ signer: Signer, reference: String = "1") -> TestWallet {
        TestWallet(account: "eip155:\(reference):\(EthereumAddress(key: signer.key))", key: .ethereum(signer))
    }

    /// A wallet of Bitcoin's mainnet, P2WPKH.
    public static func bitcoin(_ signer: Signer) throws -> TestWallet {
        guard let address = BitcoinAddress(.p2wpkh, key: signer.key, network: .mainnet) else { throw Signer.Refusal() }
        return TestWallet(account: "bip122:000000000019d6689c085ae165831e93:\(address)", key: .bitcoin(signer))
    }

    /// A wallet of Solana's mainnet.
    public static func solana(seed: [UInt8]) throws -> TestWallet {
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        let address = Base58.encode(Array(key.publicKey.rawRepresentation))
        return TestWallet(account: "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:\(address)", key: .solana(seed: seed))
    }

    /// A wallet of Sui's mainnet, ed25519.
    public static func sui(seed: [UInt8]) throws -> TestWallet {
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        guard let publicKey = SuiPublicKey(.ed25519, Array(key.publicKey.rawRepresentation)) else {
            throw Signer.Refusal()
        }
        return TestWallet(account: "sui:mainnet:\(publicKey.address)", key: .sui(seed: seed))
    }

    /// The same key's wallet on another network of its chain, by that one's name across chains (CAIP-2).
    public func on(_ name: String, _ network: BitcoinNetwork = .regtest) throws -> TestWallet {
        if case .bitcoin(let signer) = key {
            guard let address = BitcoinAddress(.p2wpkh, key: signer.key, network: network) else {
                throw Signer.Refusal()
            }
            return TestWallet(account: "\(name):\(address)", key: key)
        }
        guard let address = account.split(separator: ":").last else { throw Signer.Refusal() }
        return TestWallet(account: "\(name):\(address)", key: key)
    }

    /// The signature of a text in the form that the chain's wallets give it.
    public func sign(_ message: String) throws -> String {
        let bytes = Array(message.utf8)
        switch key {
        case .ethereum(let signer): return HexText.encode(try signer.ethereum(PersonalMessage.digest(of: bytes)))
        case .bitcoin(let signer):
            // BIP-137: the header of P2WPKH.
            let (compact, isOdd) = try signer.recoverable(Self.bitcoinDigest(bytes))
            return Base64.encode([isOdd ? 40 : 39] + compact)
        case .solana(let seed): return Base58.encode(try Self.ed25519(seed, bytes).signature)
        case .sui(let seed):
            let (signature, publicKey) = try Self.ed25519(seed, SuiMessage.digest(of: bytes))
            return Base64.encode([0] + signature + publicKey)
        }
    }

    /// The signature over structured data (EIP-712), of a wallet of Ethereum.
    public func sign(typedData json: String) throws -> String {
        guard case .ethereum(let signer) = key else { throw Signer.Refusal() }
        return HexText.encode(try signer.ethereum(TypedMessage(parsing: Array(json.utf8)).digest))
    }

    /// What the wallet gives back for a transaction in Base 64: signed, on Solana and, as a PSBT, on Bitcoin; as it was,
    /// with a signature beside it, on Sui.
    public func sign(transaction text: String) throws -> (transaction: String, signature: String?) {
        guard let bytes = Base64.decode(text) else { throw Signer.Refusal() }
        switch key {
        case .solana(let seed):
            // One signature of zeros, then what is signed.
            let (signature, _) = try Self.ed25519(seed, Array(bytes.dropFirst(65)))
            return (Base64.encode([1] + signature + bytes.dropFirst(65)), nil)
        case .sui(let seed):
            let (signature, publicKey) = try Self.ed25519(seed, BLAKE2b256.of([0, 0, 0] + bytes))
            return (text, Base64.encode([0] + signature + publicKey))
        case .bitcoin(let signer): return (try signer.sign(try PSBT(bytes), form: .p2wpkh).base64, nil)
        case .ethereum: throw Signer.Refusal()
        }
    }

    /// What Solana's tools call the secret key, 64 bytes in Base 58; nil for other chains.
    public var solanaSecret: String? {
        guard case .solana(let seed) = key, let pair = try? Self.ed25519(seed, []) else { return nil }
        return Base58.encode(seed + pair.publicKey)
    }

    private static func ed25519(
        _ seed: [UInt8],
        _ message: [UInt8]
    ) throws -> (signature: [UInt8], publicKey: [UInt8]) {
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        return (Array(try key.signature(for: message)), Array(key.publicKey.rawRepresentation))
    }

    private static func bitcoinDigest(_ message: [UInt8]) -> [UInt8] {
        let count: [UInt8] =
            message.count < 0xFD
            ? [UInt8(message.count)] : [0xFD, UInt8(message.count & 0xFF), UInt8(message.count >> 8)]
        let text = [24] + Array("Bitcoin Signed Message:\n".utf8) + count + message
        return SHA256Digest.of(SHA256Digest.of(text))
    }
}

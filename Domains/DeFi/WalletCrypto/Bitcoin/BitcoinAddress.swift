public import Cryptography

/// A Bitcoin address.
public struct BitcoinAddress: Hashable, Sendable, CustomStringConvertible {
    /// The most characters that are read.
    public static let charactersMax = 90

    /// What pays to it.
    public let script: BitcoinScript
    /// Where.
    public let network: BitcoinNetwork

    /// The address of a script.
    public init(_ script: BitcoinScript, network: BitcoinNetwork) {
        (self.script, self.network) = (script, network)
    }

    /// The address of a key in one of the forms for one key.
    ///
    /// Nil for a Taproot key that can't be tweaked, which nobody can produce.
    public init?(_ form: BitcoinScript.SingleKey, key: Secp256k1PublicKey, network: BitcoinNetwork) {
        guard let script = BitcoinScript(form, key: key) else { return nil }
        self.init(script, network: network)
    }

    /// Reads an address of a network, strictly: checksum, length, version, case (BIP-173, BIP-350); nil otherwise.
    ///
    /// A Taproot address whose key is no point is refused as well: nobody could spend what is paid to it.
    public init?(_ text: String, network: BitcoinNetwork) {
        guard text.utf8.count <= Self.charactersMax else { return nil }
        guard let script = Self.segwitScript(text, network) ?? Self.base58Script(text, network) else {
            return nil
        }
        self.init(script, network: network)
    }

    /// The address in its one spelling, Bech32 in lower case.
    public var description: String {
        switch script {
        case .keyHash(let hash): Base58.encodeChecked([network.keyHashVersion] + hash)
        case .scriptHash(let hash): Base58.encodeChecked([network.scriptHashVersion] + hash)
        case .witness(let version, let program):
            Bech32.encode(
                prefix: network.segwitPrefix,
                groups: [version] + Bech32.groups(program),
                version == 0 ? .bech32 : .bech32m
            )
        }
    }

    private static func base58Script(_ text: String, _ network: BitcoinNetwork) -> BitcoinScript? {
        guard let payload = Base58.decodeChecked(text), payload.count == 21 else { return nil }
        switch payload[0] {
        case network.keyHashVersion: return .keyHash(Array(payload[1...]))
        case network.scriptHashVersion: return .scriptHash(Array(payload[1...]))
        default: return nil
        }
    }

    private static func segwitScript(_ text: String, _ network: BitcoinNetwork) -> BitcoinScript? {
        let old = Bech32.decode(text, .bech32)
        guard let (prefix, groups) = old ?? Bech32.decode(text, .bech32m), prefix == network.segwitPrefix,
            let version = groups.first, version <= 16, (version == 0) == (old != nil),
            let program = Bech32.bytes(groups[1...]), (2...40).contains(program.count)
        else { return nil }
        if version == 0, program.count != 20, program.count != 32 { return nil }
        if version == 1, program.count == 32, !Secp256k1Schnorr.isKey(program) { return nil }
        return .witness(version: version, program: program)
    }
}

public import Cryptography

/// A public key with a chain code, from which the public keys below it derive (BIP-32, SLIP-132).
public struct ExtendedPublicKey: Hashable, Sendable {
    /// Why a text or a derivation is refused.
    public enum Fault: String, Error, Hashable, Sendable {
        /// Not Base 58 with a checksum over 78 bytes.
        case malformed
        /// A private key; it must be neither stored nor logged.
        case privateKey = "private_key"
        /// A version that isn't known: other coins, multisig.
        case version
        /// Depth 0 with a parent or an index (BIP-32, test vector 5).
        case rootWithParent = "root_with_parent"
        /// Not a compressed point of the curve.
        case point
        /// A hardened index, which needs the private key.
        case hardened
        /// Depth 255 has no children.
        case depth
        /// No key at this index; the next one has one (BIP-32: probability below 2^-127).
        case noKey = "no_key"
        /// A path that isn't written as `0/5`, or longer than `levelsMax`.
        case path
        /// The key belongs to another network than the address.
        case network
        /// The version promises another script: ypub is BIP-49, zpub BIP-84.
        case script
    }

    /// The most levels of a path.
    public static let levelsMax = 10

    private enum Version: UInt32, CaseIterable {
        case xpub = 0x0488_B21E, ypub = 0x049D_7CB2, zpub = 0x04B2_4746
        case tpub = 0x0435_87CF, upub = 0x044A_5262, vpub = 0x045F_1CF6
    }

    // xprv, yprv, zprv, tprv, uprv, vprv and the four of multisig.
    private static let privateVersions: Set<UInt32> = [
        0x0488_ADE4, 0x049D_7878, 0x04B2_430C, 0x0435_8394, 0x044A_4E28, 0x045F_18BC, 0x0295_B005, 0x02AA_7A99,
        0x0242_85B5, 0x0257_5048,
    ]

    private let version: Version
    /// The number of derivations from the root.
    public let depth: UInt8
    /// The first bytes of the parent's hash.
    public let parentFingerprint: [UInt8]
    /// The index at its parent; 2^31 and more is hardened.
    public let index: UInt32
    /// The key.
    public let key: Secp256k1PublicKey
    private let chainCode: [UInt8]

    /// Reads xpub, ypub, zpub and their testnet forms tpub, upub, vpub.
    ///
    /// - Throws: what is wrong; `privateKey` for every private form, whatever else is wrong with its contents.
    public init(_ text: String) throws(Fault) {
        guard text.utf8.count <= 120, let bytes = Base58.decodeChecked(text), bytes.count == 78 else {
            throw .malformed
        }
        let number = bytes[..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard !Self.privateVersions.contains(number) else { throw .privateKey }
        guard let version = Version(rawValue: number) else { throw .version }
        if bytes[4] == 0, bytes[5..<13].contains(where: { $0 != 0 }) { throw .rootWithParent }
        guard let key = try? Secp256k1PublicKey(sec1: Array(bytes[45...])) else { throw .point }
        self.init(
            version: version,
            depth: bytes[4],
            parentFingerprint: Array(bytes[5..<9]),
            index: bytes[9..<13].reduce(UInt32(0)) { $0 << 8 | UInt32($1) },
            chainCode: Array(bytes[13..<45]),
            key: key
        )
    }

    private init(
        version: Version,
        depth: UInt8,
        parentFingerprint: [UInt8],
        index: UInt32,
        chainCode: [UInt8],
        key: Secp256k1PublicKey
    ) {
        (self.version, self.depth, self.parentFingerprint) = (version, depth, parentFingerprint)
        (self.index, self.chainCode, self.key) = (index, chainCode, key)
    }

    /// The key below at an index under 2^31.
    ///
    /// - Throws: `hardened`, `depth`, `noKey`.
    public func child(_ index: UInt32) throws(Fault) -> ExtendedPublicKey {
        guard index < 1 << 31 else { throw .hardened }
        guard depth < 255 else { throw .depth }
        let number = (0..<4).map { UInt8(truncatingIfNeeded: index >> (8 * (3 - $0))) }
        let code = HMACSHA512.code(over: key.compressed + number, key: chainCode)
        guard let childKey = key.adding(tweak: Array(code[..<32])) else { throw .noKey }
        return ExtendedPublicKey(
            version: version,
            depth: depth + 1,
            parentFingerprint: Array(Hash160.of(key.compressed)[..<4]),
            index: index,
            chainCode: Array(code[32...]),
            key: childKey
        )
    }

    /// The key below at a path of indices: `1/5`.
    ///
    /// - Throws: `path`, and what `child` throws; `hardened` for `0'` and `0h`.
    public func descendant(_ path: String) throws(Fault) -> ExtendedPublicKey {
        let steps = path.utf8.count <= 120 ? path.split(separator: "/", omittingEmptySubsequences: false) : []
        guard (1...Self.levelsMax).contains(steps.count) else { throw .path }
        var result = self
        for step in steps {
            if let last = step.utf8.last, "'hH".utf8.contains(last) { throw .hardened }
            guard let index = BigUInt(step) else { throw .path }
            guard let index = index.uint64, index < 1 << 31 else { throw .hardened }
            result = try result.child(UInt32(index))
        }
        return result
    }

    /// The address of this very key.
    ///
    /// Testnet's versions serve regtest too. xpub and tpub name no script and take any.
    ///
    /// - Throws: `network`, `script`, and `noKey` for a Taproot key that can't be tweaked.
    public func address(
        _ form: BitcoinScript.SingleKey,
        network: BitcoinNetwork
    ) throws(Fault) -> BitcoinAddress {
        guard isMainnet == (network == .mainnet) else { throw .network }
        guard promisedForm.map({ $0 == form }) ?? true else { throw .script }
        guard let address = BitcoinAddress(form, key: key, network: network) else { throw .noKey }
        return address
    }

    /// Whether it derives addresses of mainnet.
    public var isMainnet: Bool { [.xpub, .ypub, .zpub].contains(version) }

    /// The script that its version promises; nil for xpub and tpub.
    public var promisedForm: BitcoinScript.SingleKey? {
        switch version {
        case .xpub, .tpub: nil
        case .ypub, .upub: .nestedP2WPKH
        case .zpub, .vpub: .p2wpkh
        }
    }

    /// Base 58 with its checksum.
    public var text: String {
        func bigEndian(_ value: UInt32) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * (3 - $0))) }
        }
        return Base58.encodeChecked(
            bigEndian(version.rawValue) + [depth] + parentFingerprint + bigEndian(index) + chainCode + key.compressed
        )
    }
}

/// Several keys with weights that own one address of Sui.
public struct SuiMultisig: Hashable, Sendable {
    /// Why keys and weights make no such address.
    public enum Fault: String, Error, Hashable, Sendable {
        /// None, or more than `keysMax`.
        case keyCount = "key_count"
        /// A weight of 0.
        case weight
        /// 0, or more than all weights together.
        case threshold
        /// A key twice.
        case duplicateKey = "duplicate_key"
    }

    /// A key and what its signature counts.
    public struct Member: Hashable, Sendable {
        /// The key.
        public let key: SuiPublicKey
        /// 1 to 255.
        public let weight: UInt8

        /// A key with a weight.
        public init(key: SuiPublicKey, weight: UInt8) { (self.key, self.weight) = (key, weight) }
    }

    /// The most keys.
    public static let keysMax = 10
    static let flag: UInt8 = 3

    /// The keys in their order, which the address depends on.
    public let members: [Member]
    /// The weight that is enough.
    public let threshold: UInt16

    /// Keys with weights, and the weight that is enough.
    ///
    /// - Throws: what is wrong with them.
    public init(_ members: [Member], threshold: UInt16) throws(Fault) {
        guard (1...Self.keysMax).contains(members.count) else { throw .keyCount }
        guard members.allSatisfy({ $0.weight > 0 }) else { throw .weight }
        guard threshold > 0, members.reduce(0, { $0 + Int($1.weight) }) >= Int(threshold) else { throw .threshold }
        guard Set(members.map(\.key)).count == members.count else { throw .duplicateKey }
        (self.members, self.threshold) = (members, threshold)
    }

    /// The address.
    public var address: SuiAddress {
        var material = [Self.flag]
        material.append(littleEndian: threshold)
        for member in members { material += member.key.flagged + [member.weight] }
        return SuiAddress(hashing: material)
    }
}

/// The signatures of some members of a multisig, in BCS behind the flag.
struct SuiMultisigSignature {
    let multisig: SuiMultisig
    let signatures: [(member: SuiMultisig.Member, bytes: [UInt8])]

    /// Reads the bytes behind the flag to the last one; nil for anything that Sui would not write itself.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let count = reader.uleb(), (1...SuiMultisig.keysMax).contains(count) else { return nil }
        var compressed: [(scheme: SuiScheme, bytes: [UInt8])] = []
        for _ in 0..<count {
            guard let scheme = reader.byte().flatMap(SuiScheme.init(rawValue:)), let body = reader.take(64) else {
                return nil
            }
            compressed.append((scheme, body))
        }
        guard let bitmap = reader.littleEndian16(), let multisig = Self.multisig(&reader), reader.isAtEnd else {
            return nil
        }
        let places = (0..<16).filter { bitmap >> $0 & 1 == 1 }
        guard places.count == count, let last = places.last, last < multisig.members.count else { return nil }
        let signers = places.map { multisig.members[$0] }
        guard zip(signers, compressed).allSatisfy({ $0.key.scheme == $1.scheme }) else { return nil }
        self.multisig = multisig
        signatures = zip(signers, compressed).map { ($0, $1.bytes) }
    }

    private static func multisig(_ reader: inout ByteReader) -> SuiMultisig? {
        guard let count = reader.uleb(), (1...SuiMultisig.keysMax).contains(count) else { return nil }
        var members: [SuiMultisig.Member] = []
        for _ in 0..<count {
            guard let scheme = reader.byte().flatMap(SuiScheme.init(rawValue:)),
                let key = reader.take(scheme.keyCount).flatMap({ SuiPublicKey(scheme, $0) }), let weight = reader.byte()
            else { return nil }
            members.append(SuiMultisig.Member(key: key, weight: weight))
        }
        return reader.littleEndian16().flatMap { try? SuiMultisig(members, threshold: $0) }
    }

    func verify(digest: [UInt8], address: SuiAddress) -> ProofVerdict {
        guard multisig.address == address else { return .invalid(.otherKey) }
        var weight = 0
        for signature in signatures {
            let verdict = signature.member.key.verify(signature.bytes, digest: digest)
            guard verdict.isValid else { return verdict }
            weight += Int(signature.member.weight)
        }
        return weight >= Int(multisig.threshold) ? .valid : .invalid(.mismatch)
    }
}

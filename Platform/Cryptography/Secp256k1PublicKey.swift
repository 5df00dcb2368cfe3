/// A public key on the curve secp256k1 (SEC 2 §2.4.1).
public struct Secp256k1PublicKey: Hashable, Sendable {
    /// Why bytes or text are no public key.
    public enum Fault: Error, Hashable, Sendable {
        /// Not one PEM block `PUBLIC KEY`.
        case malformedPEM
        /// Not a `SubjectPublicKeyInfo` of this curve in DER.
        case malformedSPKI
        /// Not a point of the curve in SEC 1 form.
        case notOnCurve
    }

    // DER up to the point: sequence, algorithm id-ecPublicKey, parameters secp256k1, bit string (RFC 5480 §2).
    private static let uncompressedPrefix: [UInt8] = prefix(total: 0x56, bits: 0x42)
    private static let compressedPrefix: [UInt8] = prefix(total: 0x36, bits: 0x22)

    /// The point in compressed form: 33 bytes, the first 2 or 3.
    public let compressed: [UInt8]

    /// A key from a point in SEC 1 form: 33 bytes compressed, or 65 bytes that start with 4.
    ///
    /// - Throws: `notOnCurve`.
    public init(sec1 bytes: [UInt8]) throws(Fault) {
        guard let compressed = Secp256k1Context.shared.compressed(bytes) else { throw .notOnCurve }
        self.compressed = compressed
    }

    /// A key from a `SubjectPublicKeyInfo` in DER.
    ///
    /// - Throws: `malformedSPKI`, `notOnCurve`.
    public init(spki bytes: [UInt8]) throws(Fault) {
        for prefix in [Self.uncompressedPrefix, Self.compressedPrefix] where bytes.starts(with: prefix) {
            guard bytes.count == Int(prefix[1]) + 2 else { throw .malformedSPKI }
            try self.init(sec1: Array(bytes.dropFirst(prefix.count)))
            return
        }
        throw .malformedSPKI
    }

    /// A key from PEM text with the label `PUBLIC KEY`.
    ///
    /// - Throws: `malformedPEM`, `malformedSPKI`, `notOnCurve`.
    public init(pem text: String) throws(Fault) {
        guard let bytes = PEM.decode(text, label: "PUBLIC KEY") else { throw .malformedPEM }
        try self.init(spki: bytes)
    }

    /// The point in uncompressed form: 65 bytes, the first 4.
    public var uncompressed: [UInt8] { Secp256k1Context.shared.uncompressed(compressed) ?? [] }

    /// The point's x, 32 bytes.
    public var xOnly: [UInt8] { Array(compressed[1...]) }

    /// The point plus `tweak` (32 bytes) times the generator.
    ///
    /// Nil when the tweak isn't below the group's order or the sum is no key.
    public func adding(tweak: [UInt8]) -> Secp256k1PublicKey? {
        guard tweak.count == 32 else { return nil }
        return Secp256k1Context.shared.adding(tweak, to: compressed).map(Secp256k1PublicKey.init(knownCompressed:))
    }

    private init(knownCompressed bytes: [UInt8]) { compressed = bytes }

    private static func prefix(total: UInt8, bits: UInt8) -> [UInt8] {
        let algorithm: [UInt8] = [
            0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x0A,
        ]
        return [0x30, total] + algorithm + [0x03, bits, 0x00]
    }
}

/// Asking a contract account whether a signature is its own (ERC-1271); the call itself is a node's work.
///
/// Where there is code at an address, this question decides and recovery doesn't (ERC-6492, "order of checks").
public enum ContractSignature {
    /// The longest signature that is asked about: several owners' behind each other.
    public static let signatureBytesMax = 16_384
    private static let magic: [UInt8] = [0x16, 0x26, 0xBA, 0x7E]

    /// The data of the call `isValidSignature(bytes32,bytes)`; nil for a digest that isn't 32 bytes or a signature
    /// above `signatureBytesMax`.
    public static func callData(digest: [UInt8], signature: [UInt8]) -> [UInt8]? {
        guard digest.count == 32, signature.count <= signatureBytesMax else { return nil }
        let body = try? ABI.encode([.bytes(digest), .bytes(signature)], as: [.fixedBytes(32), .bytes])
        return body.map { magic + $0 }
    }

    /// Whether the call's answer says yes: the magic value, filled up with zeros to 32 bytes exactly.
    public static func isAffirmative(_ result: [UInt8]) -> Bool {
        result == magic + [UInt8](repeating: 0, count: 28)
    }
}

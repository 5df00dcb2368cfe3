import Cryptography
public import Kernel

/// Structured data that a wallet shows and signs (EIP-712).
public struct TypedMessage: Hashable, Sendable {
    /// Why a value is no such data.
    public enum Fault: Error, Hashable, Sendable {
        /// Not an object of `types`, `primaryType`, `domain`, `message`, or above the bounds.
        case format
        /// A type that isn't there, isn't well formed, or is called like a built-in one.
        case type(String)
        /// A field that is missing, isn't declared, or has a value that doesn't fit; nothing signed may be hidden and
        /// nothing shown may be unsigned.
        case field(String)
    }

    /// The most types of one document.
    public static let typesMax = 64
    /// The most fields of one type.
    public static let fieldsMax = 64

    /// The domain's members.
    public let domain: JSON
    /// The message's members.
    public let message: JSON
    /// The message's type.
    public let primaryType: String
    /// The hash of the domain.
    public let domainSeparator: [UInt8]
    /// The hash of the message.
    public let structHash: [UInt8]

    /// Reads a document as wallets get it in `eth_signTypedData_v4`.
    ///
    /// - Throws: the first fault.
    public init(_ json: JSON) throws(Fault) {
        guard case .object(let members) = json, case .object(let types)? = json["types"],
            let primary = json["primaryType"]?.stringValue, let domain = json["domain"], let message = json["message"],
            members.count == 4, types.count <= Self.typesMax
        else { throw .format }
        guard primary != TypedDataTypes.domainName else { throw .type(primary) }
        let schema = try TypedDataTypes(types, domain: domain)
        (self.domain, self.message, primaryType) = (domain, message, primary)
        domainSeparator = try schema.hash(domain, as: TypedDataTypes.domainName, depth: 1)
        structHash = try schema.hash(message, as: primary, depth: 1)
    }

    /// Reads a document from text of at most `Bounds.bytesMax` bytes and `Bounds.depthMax` levels.
    ///
    /// - Throws: the first fault; `format` for what isn't JSON.
    public init(parsing bytes: [UInt8]) throws(Fault) {
        let limits = JSON.Limits(bytesMax: Bounds.bytesMax, depthMax: Bounds.depthMax)
        guard let json = try? JSON.parse(bytes, limits: limits) else { throw .format }
        try self.init(json)
    }

    /// What is signed: 32 bytes.
    public var digest: [UInt8] { Keccak256.of([0x19, 0x01] + domainSeparator + structHash) }

    /// Whether a signature in hexadecimal is the address's over this data.
    public func verify(signature: String, address: String) -> ProofVerdict {
        guard let address = EthereumAddress(address) else { return .invalid(.malformedAddress) }
        return EthereumSignature.verify(signature, digest: digest, address: address)
    }
}

import Cryptography

/// A transaction with its signature, as a wallet gives it back.
public struct SignedEthereumTransaction: Hashable, Sendable {
    /// Why bytes are no transaction that is taken.
    public enum Fault: Error, Hashable, Sendable {
        /// Not RLP in its canonical form, or other fields than the type has.
        case malformed
        /// A type other than 0, 1 and 2: 3 carries blobs, 4 hands the account over to code (EIP-7702).
        case unsupportedType(UInt8)
        /// A legacy transaction without a chain (before EIP-155), which could be played again on every chain.
        case unprotected
        /// A number outside its range, or a tip above the fee.
        case outOfRange
        /// The larger of the two possible s (EIP-2).
        case highS
        /// Nobody can have made the signature.
        case signature
    }

    /// What was signed.
    public let transaction: EthereumTransaction
    /// Who signed it.
    public let sender: EthereumAddress
    /// Its hash, under which nodes know it.
    public let hash: [UInt8]
    /// As it is sent.
    public let bytes: [UInt8]

    /// Reads the bytes that are sent.
    ///
    /// - Throws: the first fault.
    public init(_ bytes: [UInt8]) throws(Fault) {
        guard let first = bytes.first, bytes.count <= Bounds.bytesMax else { throw .malformed }
        // Below 0x80 it is a type (EIP-2718), from 0xC0 the list of a legacy transaction.
        guard first >= 0xC0 || first == 1 || first == 2 else {
            throw first < 0x80 ? .unsupportedType(first) : .malformed
        }
        let type = first >= 0xC0 ? 0 : first
        guard let fields = RLP(decoding: type == 0 ? bytes : Array(bytes[1...]))?.elements else { throw .malformed }
        let reader = EthereumTransactionReader(type: type, fields: fields)
        transaction = try reader.transaction()
        let (compact, isOdd) = try reader.signature()
        let signature: EthereumSignature
        do throws(ProofFault) {
            signature = try EthereumSignature(compact: compact, isOdd: isOdd)
        } catch {
            throw .highS
        }
        guard let sender = signature.signer(of: transaction.signingHash) else { throw .signature }
        self.sender = sender
        self.bytes = bytes
        hash = Keccak256.of(bytes)
    }

    /// A transaction with a wallet's signature of its signing hash.
    ///
    /// - Throws: `signature`.
    public init(_ transaction: EthereumTransaction, signature: EthereumSignature) throws(Fault) {
        guard let sender = signature.signer(of: transaction.signingHash) else { throw .signature }
        self.transaction = transaction
        self.sender = sender
        bytes = transaction.signedBytes(compact: signature.compact, isOdd: signature.isOdd)
        hash = Keccak256.of(bytes)
    }
}

/// Takes a transaction out of the fields of its list.
struct EthereumTransactionReader {
    let type: UInt8
    let fields: [RLP]

    // Where the fields stand that all types have: nonce, and gas limit with recipient, value and data behind it.
    private var offset: Int { type == 0 ? 0 : 1 }
    private var gasPlace: Int { type == 2 ? 4 : offset + 2 }

    func transaction() throws(SignedEthereumTransaction.Fault) -> EthereumTransaction {
        guard fields.count == [9, 11, 12][Int(type)] else { throw .malformed }
        guard let recipient = fields[gasPlace + 1].byteString, let data = fields[gasPlace + 3].byteString,
            recipient.isEmpty || recipient.count == 20
        else { throw .malformed }
        let fee: EthereumTransaction.Fee =
            switch type {
            case 0: .legacy(gasPrice: try number(1))
            case 1: .accessList(gasPrice: try number(2))
            default: .dynamic(maxFeePerGas: try number(3), maxPriorityFeePerGas: try number(2))
            }
        let transaction = EthereumTransaction(
            chainID: type == 0 ? try legacyV().chainID : try small(0),
            nonce: try small(offset),
            fee: fee,
            gasLimit: try small(gasPlace),
            to: EthereumAddress(bytes: recipient),
            value: try number(gasPlace + 2),
            data: data,
            accessList: type == 0 ? [] : try accessList(fields[gasPlace + 4])
        )
        guard let transaction else { throw .outOfRange }
        return transaction
    }

    func signature() throws(SignedEthereumTransaction.Fault) -> (compact: [UInt8], isOdd: Bool) {
        let end = fields.count
        guard let r = try number(end - 2).bytes(count: 32), let s = try number(end - 1).bytes(count: 32) else {
            throw .malformed
        }
        if type == 0 { return (r + s, try legacyV().isOdd) }
        let parity = try small(end - 3)
        guard parity <= 1 else { throw .outOfRange }
        return (r + s, parity == 1)
    }

    private func legacyV() throws(SignedEthereumTransaction.Fault) -> (chainID: UInt64, isOdd: Bool) {
        let v = try small(6)
        guard v != 27, v != 28 else { throw .unprotected }
        guard v >= 37 else { throw .outOfRange }
        return ((v - 35) / 2, (v - 35) % 2 == 1)
    }

    private func accessList(
        _ list: RLP
    ) throws(SignedEthereumTransaction.Fault) -> [EthereumTransaction.Access] {
        guard let entries = list.elements else { throw .malformed }
        var accesses: [EthereumTransaction.Access] = []
        for entry in entries {
            guard let pair = entry.elements, pair.count == 2,
                let address = pair[0].byteString.flatMap(EthereumAddress.init(bytes:)),
                let keys = pair[1].elements?.map({ $0.byteString ?? [] }), keys.allSatisfy({ $0.count == 32 })
            else { throw .malformed }
            accesses.append(EthereumTransaction.Access(address: address, storageKeys: keys))
        }
        return accesses
    }

    private func number(_ place: Int) throws(SignedEthereumTransaction.Fault) -> BigUInt {
        guard let number = fields[place].number else { throw .malformed }
        return number
    }

    private func small(_ place: Int) throws(SignedEthereumTransaction.Fault) -> UInt64 {
        guard let number = try number(place).uint64 else { throw .outOfRange }
        return number
    }
}

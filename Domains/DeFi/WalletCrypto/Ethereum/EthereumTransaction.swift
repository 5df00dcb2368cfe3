import Cryptography

/// A transaction of Ethereum before its signature, of the types 0 (with EIP-155), 1 (EIP-2930) and 2 (EIP-1559).
public struct EthereumTransaction: Hashable, Sendable {
    /// What is paid for gas, which is what the types differ in; all in wei per gas.
    public enum Fee: Hashable, Sendable {
        /// Type 0.
        case legacy(gasPrice: BigUInt)
        /// Type 1.
        case accessList(gasPrice: BigUInt)
        /// Type 2.
        case dynamic(maxFeePerGas: BigUInt, maxPriorityFeePerGas: BigUInt)
    }

    /// An account and slots that are paid for in advance (EIP-2930).
    public struct Access: Hashable, Sendable {
        /// The account.
        public let address: EthereumAddress
        /// Its slots, 32 bytes each.
        public let storageKeys: [[UInt8]]

        /// An account with slots; the caller guarantees 32 bytes each.
        public init(address: EthereumAddress, storageKeys: [[UInt8]]) {
            precondition(storageKeys.allSatisfy { $0.count == 32 }, "a storage key that isn't 32 bytes")
            (self.address, self.storageKeys) = (address, storageKeys)
        }
    }

    /// The chain, above 0 and below 2^62.
    public let chainID: UInt64
    /// How many transactions the sender had before.
    public let nonce: UInt64
    /// Gas price and type.
    public let fee: Fee
    /// The most gas.
    public let gasLimit: UInt64
    /// The recipient; nil creates a contract.
    public let to: EthereumAddress?
    /// Wei, below 2^256.
    public let value: BigUInt
    /// The call's data.
    public let data: [UInt8]
    /// Empty for type 0.
    public let accessList: [Access]

    /// The chain ids that are taken, so that a legacy v stays a number of 64 bits.
    public static let chainIDs: ClosedRange<UInt64> = 1...(1 << 62)

    /// A transaction from its parts; nil when a number is out of range, the tip is above the fee, a legacy one has an
    /// access list, or all of it is above `Bounds.bytesMax`.
    public init?(
        chainID: UInt64,
        nonce: UInt64,
        fee: Fee,
        gasLimit: UInt64,
        to: EthereumAddress?,
        value: BigUInt,
        data: [UInt8] = [],
        accessList: [Access] = []
    ) {
        // EIP-2681: the highest nonce is never used.
        guard Self.chainIDs.contains(chainID), nonce < .max, value <= .uint256Max, data.count <= Bounds.bytesMax else {
            return nil
        }
        switch fee {
        case .legacy(let price): guard price <= .uint256Max, accessList.isEmpty else { return nil }
        case .accessList(let price): guard price <= .uint256Max else { return nil }
        case .dynamic(let limit, let tip): guard limit <= .uint256Max, tip <= limit else { return nil }
        }
        (self.chainID, self.nonce, self.fee, self.gasLimit) = (chainID, nonce, fee, gasLimit)
        (self.to, self.value, self.data, self.accessList) = (to, value, data, accessList)
        guard payload(unsigned).count + 200 <= Bounds.bytesMax else { return nil }
    }

    /// 0, 1 or 2.
    public var type: UInt8 {
        switch fee {
        case .legacy: 0
        case .accessList: 1
        case .dynamic: 2
        }
    }

    /// The most wei that the transaction can cost: gas and value.
    public var costMax: BigUInt {
        let price =
            switch fee {
            case .legacy(let price), .accessList(let price), .dynamic(let price, _): price
            }
        return price * BigUInt(gasLimit) + value
    }

    /// What a wallet signs: 32 bytes.
    public var signingHash: [UInt8] { Keccak256.of(unsignedBytes) }

    /// What the signing hash is made of.
    public var unsignedBytes: [UInt8] { payload(unsigned) }

    /// The transaction with a signature, as it is sent; the caller guarantees 64 bytes of r and s.
    func signedBytes(compact: [UInt8], isOdd: Bool) -> [UInt8] {
        let parity = BigUInt(isOdd ? 1 : 0)
        let v = type == 0 ? BigUInt(chainID) * BigUInt(2) + BigUInt(35) + parity : parity
        return payload(
            fields + [
                .number(v), .number(BigUInt(bigEndian: compact[..<32])), .number(BigUInt(bigEndian: compact[32...])),
            ]
        )
    }

    private func payload(_ fields: [RLP]) -> [UInt8] {
        (type == 0 ? [] : [type]) + RLP.list(fields).encoded()
    }

    // EIP-155 puts the chain where the signature will be.
    private var unsigned: [RLP] { type == 0 ? fields + [.number(BigUInt(chainID)), .bytes([]), .bytes([])] : fields }

    private var fields: [RLP] {
        let chain = RLP.number(BigUInt(chainID))
        let count = RLP.number(BigUInt(nonce))
        let call: [RLP] = [.number(BigUInt(gasLimit)), .bytes(to?.bytes ?? []), .number(value), .bytes(data)]
        let access = RLP.list(
            accessList.map { .list([.bytes($0.address.bytes), .list($0.storageKeys.map { .bytes($0) })]) }
        )
        return switch fee {
        case .legacy(let price): [count, .number(price)] + call
        case .accessList(let price): [chain, count, .number(price)] + call + [access]
        case .dynamic(let limit, let tip): [chain, count, .number(tip), .number(limit)] + call + [access]
        }
    }
}

/// A value of Solidity's application binary interface.
public indirect enum ABIValue: Hashable, Sendable {
    /// An unsigned number, below 2^256.
    case uint(BigUInt)
    /// A number with sign.
    case int(BigInt)
    /// An address.
    case address(EthereumAddress)
    /// True or false.
    case bool(Bool)
    /// Bytes, fixed or not.
    case bytes([UInt8])
    /// Text.
    case string(String)
    /// The elements of an array or a tuple.
    case elements([ABIValue])
}

/// Why values and bytes don't fit their types.
public enum ABIError: String, Error, Hashable, Sendable {
    /// A value of another kind, a number that doesn't fit, or another number of elements.
    case value
    /// The bytes stop before the value does, or an offset or a length points outside of them.
    case bounds
    /// Bits outside the type that aren't what they have to be: a dirty address, a bool of 2, a padded tail.
    case padding
    /// Bytes of a string that aren't UTF-8.
    case text
    /// More than `Bounds.bytesMax` bytes or `Bounds.depthMax` levels.
    case limit
}

/// Solidity's contract ABI, read strictly.
public enum ABI {
    /// The arguments of a call or the answer to one.
    ///
    /// - Throws: `value`, `limit`.
    public static func encode(_ values: [ABIValue], as types: [ABIType]) throws(ABIError) -> [UInt8] {
        let bytes = try ABIEncoder.tuple(values, types, depth: 0)
        guard bytes.count <= Bounds.bytesMax else { throw .limit }
        return bytes
    }

    /// Reads arguments or an answer; bytes that no value refers to are allowed behind them, as the EVM does.
    ///
    /// - Throws: the first fault.
    public static func decode(_ bytes: [UInt8], as types: [ABIType]) throws(ABIError) -> [ABIValue] {
        guard bytes.count <= Bounds.bytesMax else { throw .limit }
        var decoder = ABIDecoder(bytes)
        return try decoder.tuple(types, base: 0, depth: 0)
    }
}

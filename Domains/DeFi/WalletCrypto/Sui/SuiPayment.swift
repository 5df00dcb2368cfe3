import Cryptography

/// A payment of Sui's coin or of a token as a transaction (`TransactionData`, version 1).
///
/// The coin is split off what pays for gas; a token is split off the sender's coin objects of it, merged into one.
public struct SuiPayment: Hashable, Sendable {
    /// What pays for its execution.
    public struct Gas: Hashable, Sendable {
        /// The coin objects, at least one.
        public let payment: [SuiObjectReference]
        /// MIST per unit; at least the epoch's reference price.
        public let price: UInt64
        /// MIST that it may cost at most.
        public let budget: UInt64

        /// What pays for it.
        public init(payment: [SuiObjectReference], price: UInt64, budget: UInt64) {
            (self.payment, self.price, self.budget) = (payment, price, budget)
        }
    }

    /// Why bytes are no such payment.
    public enum Fault: Error, Hashable, Sendable {
        /// Too long, cut off, or not as Sui writes it.
        case malformed
        /// Somebody else pays for gas.
        case sponsored(SuiAddress)
        /// An object that isn't the sender's own, or another input that no payment has.
        case unknownInput
        /// A command that no payment has, by its number in Sui's enumeration.
        case unknownCommand(Int)
        /// It has no last epoch, or another kind of end.
        case unlimited
        /// It is one, with commands that are missing, doubled or in another order.
        case otherCommands
    }

    /// The most coin objects that one payment takes, for gas or of the token.
    public static let coinsMax = 64
    /// The most bytes: with as many coins of both kinds there are about 10 KB.
    public static let bytesMax = 16_384

    /// Whose money it is.
    public let sender: SuiAddress
    /// Who gets it.
    public let recipient: SuiAddress
    /// MIST, or the token's units.
    public let units: UInt64
    /// The sender's coin objects of the token; none for the coin, which comes from what pays for gas.
    public let coins: [SuiObjectReference]
    /// What pays for it.
    public let gas: Gas
    /// The last epoch that it may be executed in.
    public let lastEpoch: UInt64
    /// In BCS.
    public let bytes: [UInt8]

    /// A payment; nil for no amount, no coin for gas, too many coins or one of them twice.
    public init?(
        _ units: UInt64,
        of coins: [SuiObjectReference] = [],
        from sender: SuiAddress,
        to recipient: SuiAddress,
        gas: Gas,
        lastEpoch: UInt64
    ) {
        guard units > 0, gas.budget > 0, !gas.payment.isEmpty, max(gas.payment.count, coins.count) <= Self.coinsMax,
            Set((gas.payment + coins).map(\.id)).count == gas.payment.count + coins.count
        else { return nil }
        (self.sender, self.recipient, self.units, self.coins) = (sender, recipient, units, coins)
        (self.gas, self.lastEpoch) = (gas, lastEpoch)
        // Version 1; a programmable transaction.
        var bytes: [UInt8] = [0, 0]
        bytes += Self.program(units, coins, recipient).bytes + sender.bytes
        bytes.append(uleb: gas.payment.count)
        bytes += gas.payment.flatMap(\.bytes) + sender.bytes
        bytes.append(littleEndian: gas.price)
        bytes.append(littleEndian: gas.budget)
        bytes.append(1)
        bytes.append(littleEndian: lastEpoch)
        self.bytes = bytes
    }

    /// What is signed: BLAKE2b over the intent (transaction data, version 0, Sui) and the bytes.
    public var signingDigest: [UInt8] { BLAKE2b256.of([0, 0, 0] + bytes) }

    /// What names the transaction on the chain, 32 bytes; written in Base 58.
    public var digest: [UInt8] { BLAKE2b256.of(Array("TransactionData::".utf8) + bytes) }

    private static func program(
        _ units: UInt64,
        _ coins: [SuiObjectReference],
        _ recipient: SuiAddress
    ) -> SuiProgram {
        var amount: [UInt8] = []
        amount.append(littleEndian: units)
        let first = UInt16(coins.count)
        let inputs = coins.map { SuiProgram.Input.object($0) } + [.pure(amount), .pure(recipient.bytes)]
        var commands: [SuiProgram.Command] = []
        if coins.count > 1 { commands.append(.merge(.input(0), (1..<first).map { .input($0) })) }
        let split = UInt16(commands.count)
        commands.append(.split(coins.isEmpty ? .gasCoin : .input(0), [.input(first)]))
        commands.append(.transfer([.nested(split, 0)], to: .input(first + 1)))
        return SuiProgram(inputs: inputs, commands: commands)
    }
}

extension SuiPayment {
    /// Reads a payment to its last byte.
    ///
    /// - Throws: why it is none.
    public init(_ bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= Self.bytesMax else { throw .malformed }
        var reader = ByteReader(bytes)
        guard reader.take(2) == [0, 0] else { throw .malformed }
        let program = try Self.program(&reader)
        guard let sender = reader.take(32).flatMap(SuiAddress.init(bytes:)),
            let gasCount = reader.uleb(), gasCount <= Self.coinsMax
        else { throw .malformed }
        var payment: [SuiObjectReference] = []
        for _ in 0..<gasCount {
            guard let coin = SuiObjectReference(&reader) else { throw .malformed }
            payment.append(coin)
        }
        guard let owner = reader.take(32).flatMap(SuiAddress.init(bytes:)), let price = reader.littleEndian64(),
            let budget = reader.littleEndian64(), let end = reader.byte()
        else { throw .malformed }
        guard owner == sender else { throw .sponsored(owner) }
        guard end == 1 else { throw .unlimited }
        guard let lastEpoch = reader.littleEndian64(), reader.isAtEnd else { throw .malformed }
        let coins = program.inputs.compactMap { input -> SuiObjectReference? in
            if case .object(let reference) = input { reference } else { nil }
        }
        guard let (units, recipient) = Self.values(program),
            let read = SuiPayment(
                units,
                of: coins,
                from: sender,
                to: recipient,
                gas: Gas(payment: payment, price: price, budget: budget),
                lastEpoch: lastEpoch
            ), read.bytes == bytes
        else { throw .otherCommands }
        self = read
    }

    private static func program(_ reader: inout ByteReader) throws(Fault) -> SuiProgram {
        do throws(SuiProgram.Fault) {
            return try SuiProgram(&reader)
        } catch {
            switch error {
            case .malformed: throw .malformed
            case .unknownInput: throw .unknownInput
            case .unknownCommand(let kind): throw .unknownCommand(kind)
            }
        }
    }

    /// The amount and the recipient, which are a payment's only plain values.
    private static func values(_ program: SuiProgram) -> (UInt64, SuiAddress)? {
        let values = program.inputs.compactMap { input -> [UInt8]? in
            if case .pure(let value) = input { value } else { nil }
        }
        guard values.count == 2, let recipient = SuiAddress(bytes: values[1]) else { return nil }
        var reader = ByteReader(values[0])
        guard let units = reader.littleEndian64(), reader.isAtEnd else { return nil }
        return (units, recipient)
    }
}

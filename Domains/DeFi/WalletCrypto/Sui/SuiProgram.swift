/// The part of Sui's programmable transactions that payments are made of, in BCS (`sui-types`, `transaction.rs`).
struct SuiProgram: Hashable, Sendable {
    /// What the commands work on.
    enum Input: Hashable, Sendable {
        /// A value in BCS.
        case pure([UInt8])
        /// An object of the sender's own.
        case object(SuiObjectReference)
    }

    /// A value within the program.
    enum Argument: Hashable, Sendable {
        case gasCoin
        case input(UInt16)
        case result(UInt16)
        case nested(UInt16, UInt16)
    }

    enum Command: Hashable, Sendable {
        case transfer([Argument], to: Argument)
        case split(Argument, [Argument])
        case merge(Argument, [Argument])
    }

    /// What isn't read: the number of the kind.
    enum Fault: Error, Hashable, Sendable {
        case malformed
        case unknownInput(Int)
        case unknownCommand(Int)
    }

    let inputs: [Input]
    let commands: [Command]

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(uleb: inputs.count)
        for input in inputs {
            switch input {
            case .pure(let value):
                bytes.append(0)
                bytes.append(uleb: value.count)
                bytes += value
            case .object(let reference): bytes += [1, 0] + reference.bytes
            }
        }
        bytes.append(uleb: commands.count)
        for command in commands {
            switch command {
            case .transfer(let objects, let recipient): bytes += [1] + Self.list(objects) + recipient.bytes
            case .split(let coin, let amounts): bytes += [2] + coin.bytes + Self.list(amounts)
            case .merge(let coin, let others): bytes += [3] + coin.bytes + Self.list(others)
            }
        }
        return bytes
    }

    private static func list(_ arguments: [Argument]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(uleb: arguments.count)
        return bytes + arguments.flatMap(\.bytes)
    }
}

extension SuiProgram {
    /// Reads one from the front of a BCS value.
    ///
    /// - Throws: what isn't read.
    init(_ reader: inout ByteReader) throws(Fault) {
        var inputs: [Input] = []
        // Each input and command takes two bytes at least, so what is left bounds their number.
        guard let inputCount = reader.uleb(), inputCount * 2 <= reader.remaining else { throw .malformed }
        for _ in 0..<inputCount { inputs.append(try Self.input(&reader)) }
        var commands: [Command] = []
        guard let commandCount = reader.uleb(), commandCount * 2 <= reader.remaining else { throw .malformed }
        for _ in 0..<commandCount { commands.append(try Self.command(&reader)) }
        (self.inputs, self.commands) = (inputs, commands)
    }

    private static func input(_ reader: inout ByteReader) throws(Fault) -> Input {
        guard let kind = reader.uleb() else { throw .malformed }
        switch kind {
        case 0:
            guard let value = reader.uleb().flatMap({ reader.take($0) }) else { throw .malformed }
            return .pure(value)
        case 1:
            // Shared objects and ones that are received are no part of a payment.
            guard let owner = reader.uleb() else { throw .malformed }
            guard owner == 0 else { throw .unknownInput(1) }
            guard let reference = SuiObjectReference(&reader) else { throw .malformed }
            return .object(reference)
        default: throw .unknownInput(kind)
        }
    }

    private static func command(_ reader: inout ByteReader) throws(Fault) -> Command {
        guard let kind = reader.uleb() else { throw .malformed }
        switch kind {
        case 1:
            let objects = try arguments(&reader)
            return .transfer(objects, to: try argument(&reader))
        case 2:
            let coin = try argument(&reader)
            return .split(coin, try arguments(&reader))
        case 3:
            let coin = try argument(&reader)
            return .merge(coin, try arguments(&reader))
        default: throw .unknownCommand(kind)
        }
    }

    private static func arguments(_ reader: inout ByteReader) throws(Fault) -> [Argument] {
        guard let count = reader.uleb(), count <= reader.remaining else { throw .malformed }
        var arguments: [Argument] = []
        for _ in 0..<count { arguments.append(try argument(&reader)) }
        return arguments
    }

    private static func argument(_ reader: inout ByteReader) throws(Fault) -> Argument {
        switch reader.uleb() {
        case 0: return .gasCoin
        case 1:
            guard let place = reader.littleEndian16() else { throw .malformed }
            return .input(place)
        case 2:
            guard let place = reader.littleEndian16() else { throw .malformed }
            return .result(place)
        case 3:
            guard let place = reader.littleEndian16(), let inner = reader.littleEndian16() else { throw .malformed }
            return .nested(place, inner)
        default: throw .malformed
        }
    }
}

extension SuiProgram.Argument {
    fileprivate var bytes: [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .gasCoin: bytes.append(0)
        case .input(let place):
            bytes.append(1)
            bytes.append(littleEndian: place)
        case .result(let place):
            bytes.append(2)
            bytes.append(littleEndian: place)
        case .nested(let place, let inner):
            bytes.append(3)
            bytes.append(littleEndian: place)
            bytes.append(littleEndian: inner)
        }
        return bytes
    }
}

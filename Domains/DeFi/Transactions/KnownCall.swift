import Kernel
import WalletCrypto

/// A call that is understood: what it does, said so that its user can check it.
struct KnownCall: Sendable {
    /// Why a call isn't one that is let through.
    enum Fault: Error, Hashable, Sendable {
        /// No function of ours begins with these four bytes.
        case unknownFunction([UInt8])
        /// The arguments aren't those of the function, or could be read in two ways.
        case malformedArguments(String)
        /// It lets a contract take any amount.
        case unlimitedApproval
        /// What comes out would go to somebody else.
        case otherRecipient(EthereumAddress)
    }

    static let transfer = function("transfer(address,uint256)")
    static let approve = function("approve(address,uint256)")

    /// From here on an amount stands for "all that there will ever be": nothing has half of 2^256 units.
    static let unlimited = BigUInt(bigEndian: [0x80] + [UInt8](repeating: 0, count: 31))

    let function: ContractFunction
    let arguments: [ABIValue]
    /// The step of a protocol that it is.
    let step: ProtocolDescription.Step?
    /// The calls that it makes, where it is several in one.
    let calls: [KnownCall]

    /// Reads a call.
    ///
    /// - Throws: the first fault.
    init(_ data: [UInt8], from wallet: EthereumAddress) throws(Fault) {
        try self.init(data, from: wallet, isInner: false)
    }

    private init(_ data: [UInt8], from wallet: EthereumAddress, isInner: Bool) throws(Fault) {
        let selector = Array(data.prefix(4))
        let candidates: [(ContractFunction, ProtocolDescription.Step?)] =
            [(Self.transfer, nil), (Self.approve, nil)]
            + ProtocolDescription.all.flatMap(\.steps).map { ($0.function, $0) }
        guard let (function, step) = candidates.first(where: { $0.0.selector == selector }) else {
            throw .unknownFunction(selector)
        }
        let arguments: [ABIValue]
        do throws(ABIError) {
            guard let read = try function.arguments(data) else { throw ABIError.value }
            arguments = read
        } catch {
            throw .malformedArguments(error.rawValue)
        }
        (self.function, self.arguments, self.step) = (function, arguments, step)
        calls = try Self.calls(of: step, arguments, from: wallet, isInner: isInner)
        if function == Self.approve, case .uint(let amount)? = arguments.last, amount >= Self.unlimited {
            throw .unlimitedApproval
        }
        if let step { try Self.check(arguments, as: step.arguments, wallet) }
    }

    /// Who gets what a payment sends; nil for what is none.
    static func recipient(of transaction: EthereumTransaction) throws(ABIError) -> EthereumAddress? {
        if transaction.data.isEmpty { return transaction.to }
        guard case .address(let recipient)? = try transfer.arguments(transaction.data)?.first else { return nil }
        return recipient
    }

    /// What a call that is several in one makes: each must be one of its own, and none several again.
    private static func calls(
        of step: ProtocolDescription.Step?,
        _ arguments: [ABIValue],
        from wallet: EthereumAddress,
        isInner: Bool
    ) throws(Fault) -> [KnownCall] {
        guard let step, !step.calls.isEmpty else { return [] }
        guard !isInner, case .elements(let values)? = arguments.first else {
            throw .malformedArguments(ABIError.value.rawValue)
        }
        var calls: [KnownCall] = []
        for value in values {
            guard case .bytes(let data) = value else { throw .malformedArguments(ABIError.value.rawValue) }
            let call = try KnownCall(data, from: wallet, isInner: true)
            guard step.calls.contains(where: { $0.function == call.function }) else {
                throw .unknownFunction(call.function.selector)
            }
            calls.append(call)
        }
        return calls
    }

    /// Everything that a wallet's owner gets must go to that wallet.
    private static func check(
        _ values: [ABIValue],
        as places: [ProtocolDescription.Argument],
        _ wallet: EthereumAddress
    ) throws(Fault) {
        for (value, place) in zip(values, places) {
            switch (value, place) {
            case (.address(let address), .wallet) where address != wallet: throw .otherRecipient(address)
            case (.elements(let inner), .tuple(let places)), (.elements(let inner), .list(let places)):
                try check(inner, as: places, wallet)
            default: continue
            }
        }
    }

    /// The function and its arguments, one after the other, for people.
    var summary: JSON {
        [
            "function": .string(function.description),
            "arguments": .array(calls.isEmpty ? arguments.map { .string(Self.text($0)) } : []),
            "calls": .array(calls.map(\.summary)),
        ]
    }

    private static func text(_ value: ABIValue) -> String {
        switch value {
        case .uint(let number): number == .uint256Max ? "everything" : number.description
        case .int(let number): number.description
        case .address(let address): address.description
        case .bool(let truth): truth ? "yes" : "no"
        case .bytes(let bytes): HexText.encode(bytes)
        case .string(let text): text
        case .elements(let values): "(" + values.map(text).joined(separator: ", ") + ")"
        }
    }

    private static func function(_ signature: String) -> ContractFunction {
        guard let function = ContractFunction(signature) else { preconditionFailure("no function: \(signature)") }
        return function
    }
}

import Kernel
import WalletCrypto

/// What a protocol's call is filled with.
struct CallArguments: Sendable {
    let offer: Deployment.Offer
    let asset: EthereumAddress?
    let wallet: EthereumAddress
    var amount = BigUInt.zero
    var pairAmount = BigUInt.zero
    var amountMin = BigUInt.zero
    var pairAmountMin = BigUInt.zero
    var units = BigUInt.zero
    var token = BigUInt.zero
    var requests: [BigUInt] = []
    var hints: [BigUInt] = []
    /// Seconds since 1970.
    var deadline: Int64 = 0

    /// How much less than expected is taken, in hundredths of a percent.
    static let slippageMax = 50

    /// What is left of an amount after the largest slippage, rounded up.
    static func least(_ amount: BigUInt) -> BigUInt {
        (amount * BigUInt(10_000 - slippageMax)).dividedRoundingUp(by: BigUInt(10_000))
    }

    /// The data of a step's call.
    ///
    /// - Throws: `ABIError.value` where an argument has nothing to stand for.
    func callData(_ step: ProtocolDescription.Step) throws(ABIError) -> [UInt8] {
        guard !step.calls.isEmpty else { return try callData(step.function, step.arguments) }
        var calls: [ABIValue] = []
        for call in step.calls { calls.append(.bytes(try callData(call))) }
        return try step.function.callData([.elements(calls)])
    }

    /// The data of a call.
    ///
    /// - Throws: as above.
    func callData(
        _ function: ContractFunction,
        _ arguments: [ProtocolDescription.Argument]
    ) throws(ABIError) -> [UInt8] {
        try function.callData(try values(arguments))
    }

    /// Wei that go along with a step's call.
    func coins(_ step: ProtocolDescription.Step) -> BigUInt { step.paysValue ? amount : .zero }

    private func values(_ arguments: [ProtocolDescription.Argument]) throws(ABIError) -> [ABIValue] {
        var values: [ABIValue] = []
        for argument in arguments { values.append(try value(argument)) }
        return values
    }

    private func value(_ argument: ProtocolDescription.Argument) throws(ABIError) -> ABIValue {
        switch argument {
        case .asset: return try known(asset)
        case .pair: return try known(offer.pair?.contract)
        case .place(let place): return try known(offer.address(place))
        case .amount: return .uint(amount)
        case .pairAmount: return .uint(pairAmount)
        case .amountMin: return .uint(amountMin)
        case .pairAmountMin: return .uint(pairAmountMin)
        case .units: return .uint(units)
        case .token: return .uint(token)
        case .wallet: return .address(wallet)
        case .deadline: return .uint(BigUInt(UInt64(max(0, deadline))))
        case .number(let number): return .uint(number)
        case .fee: return .uint(BigUInt(try range().fee))
        case .tickLower: return .int(Self.signed(try range().lower))
        case .tickUpper: return .int(Self.signed(try range().upper))
        case .yes: return .bool(true)
        case .nobody: return try known(EthereumAddress(bytes: [UInt8](repeating: 0, count: 20)))
        case .requests: return .elements(requests.map { .uint($0) })
        case .hints: return .elements(hints.map { .uint($0) })
        case .tuple(let arguments), .list(let arguments): return .elements(try values(arguments))
        }
    }

    private func range() throws(ABIError) -> Deployment.Range {
        guard let range = offer.range else { throw .value }
        return range
    }

    private static func signed(_ number: Int) -> BigInt { BigInt(BigUInt(number.magnitude), isNegative: number < 0) }

    private func known(_ address: EthereumAddress?) throws(ABIError) -> ABIValue {
        guard let address else { throw .value }
        return .address(address)
    }
}

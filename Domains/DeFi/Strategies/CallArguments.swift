import Kernel
import WalletCrypto

/// What a protocol's call is filled with.
struct CallArguments: Sendable {
    let asset: EthereumAddress?
    let pair: EthereumAddress?
    let wallet: EthereumAddress
    var amount = BigUInt.zero
    var pairAmount = BigUInt.zero
    var amountMin = BigUInt.zero
    var pairAmountMin = BigUInt.zero
    var units = BigUInt.zero
    var token = BigUInt.zero
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
        var values: [ABIValue] = []
        for argument in step.arguments { values.append(try value(argument)) }
        return try step.function.callData(values)
    }

    /// Wei that go along with a step's call.
    func coins(_ step: ProtocolDescription.Step) -> BigUInt { step.paysValue ? amount : .zero }

    private func value(_ argument: ProtocolDescription.Argument) throws(ABIError) -> ABIValue {
        switch argument {
        case .asset: return try known(asset)
        case .pair: return try known(pair)
        case .amount: return .uint(amount)
        case .pairAmount: return .uint(pairAmount)
        case .amountMin: return .uint(amountMin)
        case .pairAmountMin: return .uint(pairAmountMin)
        case .units: return .uint(units)
        case .token: return .uint(token)
        case .wallet: return .address(wallet)
        case .deadline: return .uint(BigUInt(UInt64(max(0, deadline))))
        case .number(let number): return .uint(number)
        case .signed(let number): return .int(number)
        case .nobody: return try known(EthereumAddress(bytes: [UInt8](repeating: 0, count: 20)))
        case .tuple(let arguments):
            var values: [ABIValue] = []
            for argument in arguments { values.append(try value(argument)) }
            return .elements(values)
        }
    }

    private func known(_ address: EthereumAddress?) throws(ABIError) -> ABIValue {
        guard let address else { throw .value }
        return .address(address)
    }
}

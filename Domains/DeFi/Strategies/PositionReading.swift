import Kernel
import WalletCrypto

/// Reads positions and rates from the chain's state in one block.
///
/// Positions aren't summed from events: balances grow without them, and tokens move without the protocol's own.
struct PositionReading: Sendable {
    /// What a position is worth.
    struct Worth: Hashable, Sendable {
        let amount: BigUInt
        var pairAmount: BigUInt?
        /// The protocol's units of it: shares, liquidity.
        var units = BigUInt.zero
        /// What is owed beside it, in both tokens.
        var owed = BigUInt.zero
        var pairOwed = BigUInt.zero
    }

    /// Whose position it is, and where.
    struct Question: Hashable, Sendable {
        let offer: Deployment.Offer
        let wallet: EthereumAddress
        let token: BigUInt?
    }

    let node: EthereumNode

    /// What positions are worth, in their order; nil where the chain doesn't say.
    func worth(of questions: [Question], at: EthereumNode.At) async throws(NodeError) -> [Worth?] {
        let first = try await node.views(questions.map(\.first), at: at)
        var second: [(place: Int, view: EthereumNode.View)] = []
        var worths: [Worth?] = []
        for (place, (question, answer)) in zip(questions, first).enumerated() {
            let (worth, view) = question.read(answer)
            worths.append(worth)
            if let view { second.append((place, view)) }
        }
        guard !second.isEmpty else { return worths }
        let answers = try await node.views(second.map(\.view), at: at)
        for (asked, answer) in zip(second, answers) {
            worths[asked.place] = worths[asked.place].flatMap { questions[asked.place].complete($0, with: answer) }
        }
        return worths
    }
}

extension PositionReading.Question {
    private static let farDeadline = BigUInt(UInt64(UInt32.max))
    private static let resultTypes: [ABIType] = [.uint(256), .uint(256)]

    /// What is asked first.
    fileprivate var first: EthereumNode.View {
        switch offer.description.position {
        case .balance(let function), .shares(let function, _):
            Self.view(offer.receipt, function, [.address(wallet)], from: nil)
        case .liquidity(let positions):
            Self.view(offer.contract, positions, [.uint(token ?? .zero)], from: nil)
        }
    }

    /// What the first answer says, and what is asked next.
    fileprivate func read(_ answer: [UInt8]?) -> (PositionReading.Worth?, EthereumNode.View?) {
        guard let answer else { return (nil, nil) }
        switch offer.description.position {
        case .balance:
            guard answer.count == 32 else { return (nil, nil) }
            let amount = BigUInt(bigEndian: answer)
            return (PositionReading.Worth(amount: amount, units: amount), nil)
        case .shares(_, let worth):
            guard answer.count == 32 else { return (nil, nil) }
            let shares = BigUInt(bigEndian: answer)
            let view = Self.view(offer.contract, worth, [.uint(shares)], from: nil)
            return (PositionReading.Worth(amount: .zero, units: shares), view)
        case .liquidity:
            // Word 7 is the liquidity, 10 and 11 what is owed.
            guard token != nil, answer.count == 12 * 32 else { return (nil, nil) }
            func word(_ place: Int) -> BigUInt { BigUInt(bigEndian: answer[(place * 32)..<(place * 32 + 32)]) }
            let (liquidity, owed, pairOwed) = (word(7), word(10), word(11))
            let worth = PositionReading.Worth(
                amount: owed,
                pairAmount: pairOwed,
                units: liquidity,
                owed: owed,
                pairOwed: pairOwed
            )
            return (worth, liquidity.isZero ? nil : leaving(liquidity))
        }
    }

    /// What the second answer adds.
    fileprivate func complete(_ worth: PositionReading.Worth, with answer: [UInt8]?) -> PositionReading.Worth? {
        guard let answer else { return nil }
        var worth = worth
        switch offer.description.position {
        case .balance: return worth
        case .shares:
            guard answer.count == 32 else { return nil }
            worth = PositionReading.Worth(amount: BigUInt(bigEndian: answer), units: worth.units)
        case .liquidity:
            guard answer.count == 64 else { return nil }
            worth = PositionReading.Worth(
                amount: worth.owed + BigUInt(bigEndian: answer[..<32]),
                pairAmount: worth.pairOwed + BigUInt(bigEndian: answer[32...]),
                units: worth.units,
                owed: worth.owed,
                pairOwed: worth.pairOwed
            )
        }
        return worth
    }

    /// Taking all liquidity out, which is only tried.
    private func leaving(_ liquidity: BigUInt) -> EthereumNode.View? {
        guard let step = offer.description.stop.first, let token else { return nil }
        let argument = ABIValue.elements([
            .uint(token), .uint(liquidity), .uint(.zero), .uint(.zero), .uint(Self.farDeadline),
        ])
        return Self.view(offer.contract, step.function, [argument], from: wallet)
    }

    private static func view(
        _ to: EthereumAddress,
        _ function: ContractFunction,
        _ arguments: [ABIValue],
        from: EthereumAddress?
    ) -> EthereumNode.View {
        // The arguments are made for the function here, so that they fit.
        let data = (try? function.callData(arguments)) ?? function.selector
        return EthereumNode.View(to: to, data: data, from: from)
    }
}

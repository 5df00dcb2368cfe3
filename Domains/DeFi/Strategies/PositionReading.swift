import Kernel
import WalletCrypto

/// Reads positions from the chain's state in one block.
///
/// Positions aren't summed from events: balances grow without them, and tokens move without the protocol's own.
struct PositionReading: Sendable {
    /// What a position is worth.
    struct Worth: Hashable, Sendable {
        var amount: BigUInt
        var pairAmount: BigUInt?
        /// The protocol's units of it: shares, liquidity; what waits in a queue has none.
        var units = BigUInt.zero
        /// What is owed beside it, in both tokens; it is part of the amounts.
        var owed = BigUInt.zero
        var pairOwed = BigUInt.zero
        /// What a pair's pool says of its tokens.
        var price: PoolPrice?
        /// What waits in the queue; it is part of the amount.
        var queued = BigUInt.zero
        /// Of it, what has come through.
        var claimable = BigUInt.zero
        /// The requests that have.
        var requests: [BigUInt] = []
        /// Rewards, in the token that they are paid in.
        var reward = BigUInt.zero
    }

    /// Whose position it is, and where.
    struct Question: Hashable, Sendable {
        let offer: Deployment.Offer
        let wallet: EthereumAddress
        let token: BigUInt?
    }

    let nodes: EthereumNodes

    /// What positions are worth; nothing is said of one of which nodes answer a single question differently.
    func worth(
        of questions: [Question],
        at: EthereumNode.At
    ) async throws(NodeError) -> EthereumNodes.Answers<Worth> {
        let first = try await answers(questions.map(\.first), at: at)
        var (worths, next): ([Worth?], [[EthereumNode.View]]) = ([], [])
        for (question, answers) in zip(questions, first) {
            let (worth, views) = answers.map(question.read) ?? (nil, [])
            worths.append(worth)
            next.append(views)
        }
        let second = try await answers(next, at: at)
        for place in questions.indices where !next[place].isEmpty {
            worths[place] = worths[place].flatMap { worth in
                second[place].flatMap { questions[place].complete(worth, with: $0) }
            }
        }
        let disputed = questions.indices.filter { first[$0] == nil || second[$0] == nil }
        return EthereumNodes.Answers(answers: worths, disputed: Set(disputed))
    }

    /// The answers to several lists of views, asked in one request; nil for a list that nodes don't answer alike.
    private func answers(
        _ lists: [[EthereumNode.View]],
        at: EthereumNode.At
    ) async throws(NodeError) -> [[[UInt8]?]?] {
        let said = try await nodes.views(lists.flatMap(\.self), at: at)
        var start = 0
        return lists.map { list in
            let places = start..<start + list.count
            start = places.upperBound
            return said.disputed.isDisjoint(with: places) ? Array(said.answers[places]) : nil
        }
    }
}

extension PositionReading.Question {
    private static let farDeadline = BigUInt(UInt64(UInt32.max))
    private static let numbers: [ABIType] = [.array(.uint(256), count: nil)]
    // (amountOfStETH, amountOfShares, owner, timestamp, isFinalized, isClaimed)
    private static let statuses: [ABIType] = [
        .array(.tuple([.uint(256), .uint(256), .address, .uint(256), .bool, .bool]), count: nil)
    ]

    /// What is asked first: the position, and what is beside it.
    fileprivate var first: [EthereumNode.View] {
        var views: [EthereumNode.View] = []
        switch offer.description.position {
        case .balance(let function), .shares(let function, _):
            views.append(Self.view(offer.receipt, function, [.address(wallet)]))
        case .liquidity(let positions, let price, _):
            views.append(Self.view(offer.contract, positions, [.uint(token ?? .zero)]))
            views.append(Self.view(offer.address(.pool) ?? offer.contract, price, []))
        }
        if let queue = offer.description.queue, let address = offer.address(.queue) {
            views.append(Self.view(address, queue.requests, [.address(wallet)]))
        }
        if let rewards = offer.description.rewards, let address = offer.address(.rewards) {
            views.append(Self.view(address, rewards.owed, [.address(offer.contract), .address(wallet)]))
        }
        return views
    }

    /// What the first answers say, and what is asked next.
    fileprivate func read(_ answers: [[UInt8]?]) -> (PositionReading.Worth?, [EthereumNode.View]) {
        guard let answer = answers[0] else { return (nil, []) }
        switch offer.description.position {
        case .balance:
            guard answer.count == 32 else { return (nil, []) }
            let amount = BigUInt(bigEndian: answer)
            var worth = PositionReading.Worth(amount: amount, units: amount)
            if let rewarded = answers.last.flatMap(\.self), offer.address(.rewards) != nil, rewarded.count == 64 {
                worth.reward = BigUInt(bigEndian: rewarded[32...])
            }
            guard let queue = offer.description.queue, let address = offer.address(.queue),
                let answer = answers.last.flatMap(\.self), let ids = try? ABI.decode(answer, as: Self.numbers),
                case .elements(let requests)? = ids.first, !requests.isEmpty
            else { return (worth, []) }
            worth.requests = requests.compactMap {
                guard case .uint(let id) = $0 else { return nil }
                return id
            }
            return (worth, [Self.view(address, queue.status, ids)])
        case .shares(_, let function):
            guard answer.count == 32 else { return (nil, []) }
            let shares = BigUInt(bigEndian: answer)
            let view = Self.view(offer.contract, function, [.uint(shares)])
            return (PositionReading.Worth(amount: .zero, units: shares), [view])
        case .liquidity(_, _, let function):
            // Word 7 is the liquidity, 10 and 11 what is owed; the price is the pool's first word.
            guard token != nil, answer.count == 12 * 32, let pool = answers[1], pool.count >= 32 else {
                return (nil, [])
            }
            func word(_ place: Int) -> BigUInt { BigUInt(bigEndian: answer[(place * 32)..<(place * 32 + 32)]) }
            let (liquidity, owed, pairOwed) = (word(7), word(10), word(11))
            let worth = PositionReading.Worth(
                amount: owed,
                pairAmount: pairOwed,
                units: liquidity,
                owed: owed,
                pairOwed: pairOwed,
                price: PoolPrice(root: BigUInt(bigEndian: pool[..<32]))
            )
            return (worth, liquidity.isZero ? [] : [leaving(liquidity, by: function)])
        }
    }

    /// What the second answers add.
    fileprivate func complete(
        _ worth: PositionReading.Worth,
        with answers: [[UInt8]?]
    ) -> PositionReading.Worth? {
        guard let answer = answers[0] else { return nil }
        var worth = worth
        switch offer.description.position {
        case .balance: return queued(worth, answer)
        case .shares:
            guard answer.count == 32 else { return nil }
            worth.amount = BigUInt(bigEndian: answer)
        case .liquidity:
            guard answer.count == 64 else { return nil }
            worth.amount = worth.owed + BigUInt(bigEndian: answer[..<32])
            worth.pairAmount = worth.pairOwed + BigUInt(bigEndian: answer[32...])
        }
        return worth
    }

    /// What waits in the queue, by the status of each request.
    private func queued(_ worth: PositionReading.Worth, _ answer: [UInt8]) -> PositionReading.Worth? {
        guard let values = try? ABI.decode(answer, as: Self.statuses), case .elements(let states)? = values.first
        else { return nil }
        var worth = worth
        let requests = worth.requests
        worth.requests = []
        for (id, state) in zip(requests, states) {
            guard case .elements(let parts) = state, case .uint(let amount) = parts[0],
                case .bool(let isFinal) = parts[4], case .bool(false) = parts[5]
            else { continue }
            worth.queued = worth.queued + amount
            guard isFinal else { continue }
            worth.claimable = worth.claimable + amount
            worth.requests.append(id)
        }
        worth.amount = worth.amount + worth.queued
        return worth
    }

    /// Taking all liquidity out, which is only tried.
    private func leaving(_ liquidity: BigUInt, by function: ContractFunction) -> EthereumNode.View {
        let argument = ABIValue.elements([
            .uint(token ?? .zero), .uint(liquidity), .uint(.zero), .uint(.zero), .uint(Self.farDeadline),
        ])
        return Self.view(offer.contract, function, [argument], from: wallet)
    }

    private static func view(
        _ to: EthereumAddress,
        _ function: ContractFunction,
        _ arguments: [ABIValue],
        from: EthereumAddress? = nil
    ) -> EthereumNode.View {
        // The arguments are made for the function here, so that they fit.
        let data = (try? function.callData(arguments)) ?? function.selector
        return EthereumNode.View(to: to, data: data, from: from)
    }
}

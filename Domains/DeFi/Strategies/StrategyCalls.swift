import Kernel
import WalletCrypto

/// A strategy's actions as calls of its protocol's contracts.
struct StrategyCalls: Sendable {
    /// How long a call with a deadline may wait for its block.
    static let deadlineSeconds: Int64 = 3_600

    let chain: EthereumChain

    /// Putting an amount in: the approval of exactly that amount first, where the contract takes it itself.
    ///
    /// A pair takes no more of either token than its pool does at the price of the moment.
    ///
    /// - Throws: 422 `asset_not_supported`, `protocol_paused`, `amount_out_of_range`; 503.
    func start(
        _ offer: Deployment.Offer,
        wallet: EthereumAddress,
        amount: Money,
        pairAmount: BigUInt,
        now: Timestamp
    ) async throws -> [IntentMaker.Call] {
        var arguments = arguments(offer, wallet, now)
        arguments.amount = BigUInt(amount.minorUnits)
        if let range = offer.range {
            let price = try await price(of: offer)
            let liquidity = range.prices.liquidity(first: arguments.amount, second: pairAmount, at: price)
            guard !liquidity.isZero else { throw Self.outOfRange }
            (arguments.amount, arguments.pairAmount) = range.prices.amounts(of: liquidity, at: price)
            arguments.amountMin = CallArguments.least(arguments.amount)
            arguments.pairAmountMin = CallArguments.least(arguments.pairAmount)
        }
        try await check(.entering, arguments)
        let money = Money(minorUnits: Int128(clamping: arguments.amount), amount.asset)
        var calls: [IntentMaker.Call] = []
        if offer.description.needsApproval {
            guard let asset = arguments.asset else { throw Self.unsupported }
            calls.append(try approval(of: arguments.amount, token: asset, for: offer))
            if let pair = offer.pair {
                calls.append(try approval(of: arguments.pairAmount, token: pair.contract, for: offer))
            }
        }
        var start = try call(offer.description.start, arguments, kind: .start, amount: money)
        start.pairAmount = Int128(clamping: arguments.pairAmount)
        start.token = offer.description.needsApproval ? arguments.asset : nil
        start.floor = try await floor(.entering, of: arguments.amount, in: offer)
        return calls + [start]
    }

    /// Taking a part out: `amount` is of the strategy's asset.
    ///
    /// - Throws: 409 `strategy_filling`; 422 `protocol_paused`, `not_enough_in_it`; 503.
    func exit(_ strategy: Strategy, amount: Money, now: Timestamp) async throws -> [IntentMaker.Call] {
        let offer = try offer(of: strategy)
        let worth = try await worth(of: strategy, in: offer)
        let free = worth.amount - worth.owed - worth.queued
        let asked = BigUInt(amount.minorUnits)
        guard asked <= free else {
            let most = Money(minorUnits: Int128(clamping: free), strategy.asset)
            throw Problem(422, "not_enough_in_it", "There is \(most) in it that can be taken out.")
        }
        var arguments = arguments(offer, strategy.address, now)
        arguments.amount = asked
        arguments.token = strategy.token ?? .zero
        // In the protocol's own units, for those that want them.
        arguments.units = worth.units * asked / free
        if offer.description.isPair {
            arguments.amountMin = CallArguments.least(asked)
            let pairFree = (worth.pairAmount ?? .zero) - worth.pairOwed
            arguments.pairAmountMin = CallArguments.least(pairFree * asked / free)
        }
        return try await leave(strategy, offer.description.exit, arguments, amount, of: free)
    }

    /// Taking all out, as much as the chain says there is now.
    ///
    /// - Throws: 409 `exit_queued`; 422 `nothing_to_exit`, `protocol_paused`; 503.
    func stop(_ strategy: Strategy, now: Timestamp) async throws -> [IntentMaker.Call] {
        let offer = try offer(of: strategy)
        let worth = try await worth(of: strategy, in: offer)
        var arguments = arguments(offer, strategy.address, now)
        (arguments.units, arguments.token) = (worth.units, strategy.token ?? .zero)
        let dust = offer.description.queue?.dust ?? .zero
        guard worth.units > dust else {
            if !worth.claimable.isZero { return try await claim(strategy, offer, worth, arguments) }
            guard worth.queued.isZero else {
                throw Problem(
                    409,
                    "exit_queued",
                    "It waits in the protocol's queue. Try again when it has come through."
                )
            }
            // Liquidity that is out already only has to be collected.
            guard !worth.amount.isZero, let collect = offer.harvest else {
                throw Problem(422, "nothing_to_exit", "Nothing is left in it.")
            }
            let amount = Money(minorUnits: Int128(clamping: worth.amount), strategy.asset)
            return try await leave(strategy, [collect], arguments, amount, of: BigUInt(amount.minorUnits))
        }
        let free = worth.amount - worth.queued
        arguments.amount = free
        if offer.description.isPair {
            arguments.amountMin = CallArguments.least(worth.amount - worth.owed)
            arguments.pairAmountMin = CallArguments.least((worth.pairAmount ?? .zero) - worth.pairOwed)
        }
        let amount = Money(minorUnits: Int128(clamping: free), strategy.asset)
        return try await leave(strategy, offer.description.stop, arguments, amount, of: free)
    }

    /// Taking what was earned, or what has come through the protocol's queue.
    ///
    /// - Throws: 422 `nothing_to_harvest`; 503.
    func harvest(_ strategy: Strategy, now: Timestamp) async throws -> [IntentMaker.Call] {
        let offer = try offer(of: strategy)
        let worth = try await worth(of: strategy, in: offer)
        var arguments = arguments(offer, strategy.address, now)
        arguments.token = strategy.token ?? .zero
        if !worth.claimable.isZero { return try await claim(strategy, offer, worth, arguments) }
        guard offer.description.isPair == false || !worth.units.isZero else {
            throw Problem(422, "nothing_to_harvest", "Its liquidity is out already. Stop it to take what is left.")
        }
        let isEarned = !worth.owed.isZero || !worth.pairOwed.isZero || !worth.reward.isZero
        guard let step = offer.harvest, isEarned else {
            throw Problem(422, "nothing_to_harvest", "What it earns stays in it by itself, or there is nothing yet.")
        }
        let amount = Money(minorUnits: Int128(clamping: worth.owed), strategy.asset)
        return [try call(step, arguments, kind: .harvest, amount: amount)]
    }

    /// Taking what has come through the queue; its share of the principal ends with it.
    private func claim(
        _ strategy: Strategy,
        _ offer: Deployment.Offer,
        _ worth: PositionReading.Worth,
        _ known: CallArguments
    ) async throws -> [IntentMaker.Call] {
        guard let queue = offer.description.queue, let address = offer.address(.queue) else { throw Self.unsupported }
        var arguments = known
        arguments.requests = worth.requests
        arguments.hints = try await ask { () async throws(NodeError) in
            try await chain.nodes.hints(of: worth.requests, by: queue, at: address)
        }
        let amount = Money(minorUnits: Int128(clamping: worth.claimable), strategy.asset)
        var call = try call(queue.claim, arguments, kind: .exit, amount: amount)
        call.principal = StrategyRules.principal(
            of: amount.minorUnits,
            outOf: Int128(clamping: max(worth.claimable, worth.amount - min(worth.amount, queue.dust))),
            holding: strategy.principal
        )
        return [call]
    }

    /// The steps of leaving, the last of them with the share of the principal; what goes into a queue has none yet.
    private func leave(
        _ strategy: Strategy,
        _ steps: [ProtocolDescription.Step],
        _ arguments: CallArguments,
        _ amount: Money,
        of free: BigUInt
    ) async throws -> [IntentMaker.Call] {
        try await check(.leaving, arguments)
        var calls: [IntentMaker.Call] = []
        for step in steps {
            let kind: Intent.Kind = step.function == KnownCall.approve ? .approve : .exit
            calls.append(try call(step, arguments, kind: kind, amount: amount))
        }
        guard arguments.offer.description.queue == nil else { return calls }
        func share(of whole: Int128) -> Int128 {
            StrategyRules.principal(of: amount.minorUnits, outOf: Int128(clamping: free), holding: whole)
        }
        calls[calls.count - 1].principal = share(of: strategy.principal)
        calls[calls.count - 1].pairAmount = share(of: strategy.pairPrincipal)
        calls[calls.count - 1].floor = try await floor(.leaving, of: arguments.units, in: arguments.offer)
        return calls
    }

    /// - Throws: 422 `protocol_paused`; 503.
    private func check(_ direction: ProtocolDescription.Direction, _ arguments: CallArguments) async throws {
        let isPaused = try await ask { () async throws(NodeError) in
            try await chain.nodes.isPaused(arguments, direction)
        }
        guard isPaused else { return }
        throw Problem(422, "protocol_paused", "The protocol stands still now, by its own word. Nothing was built.")
    }

    private func price(of offer: Deployment.Offer) async throws -> PoolPrice {
        try await ask { () async throws(NodeError) in
            guard let price = try await chain.nodes.price(of: offer) else { throw NodeError.malformed("price") }
            return price
        }
    }

    /// What a strategy's position is worth now.
    func worth(of strategy: Strategy, in offer: Deployment.Offer) async throws -> PositionReading.Worth {
        let question = PositionReading.Question(offer: offer, wallet: strategy.address, token: strategy.token)
        return try await ask { () async throws(NodeError) in
            let said = try await PositionReading(nodes: chain.nodes).worth(of: [question], at: .latest)
            guard said.disputed.isEmpty else { throw .disagreement("what a position is worth") }
            guard let worth = said.answers[0] else { throw .malformed("position") }
            return worth
        }
    }

    /// - Throws: 422 `offer_gone`.
    func offer(of strategy: Strategy) throws(Problem) -> Deployment.Offer {
        guard let offer = chain.deployment.offer(strategy.offer) else {
            throw Problem(422, "offer_gone", "The protocol isn't offered any more. Use its own site to leave it.")
        }
        return offer
    }

    static let unsupported = Problem(422, "asset_not_supported", "The asset isn't on this chain.")

    private static let outOfRange = Problem(
        422,
        "amount_out_of_range",
        "At the price of the moment it takes the other token too. Give more of both."
    )

    private func arguments(_ offer: Deployment.Offer, _ wallet: EthereumAddress, _ now: Timestamp) -> CallArguments {
        CallArguments(
            offer: offer,
            asset: chain.deployment.token(offer.asset),
            wallet: wallet,
            deadline: now.seconds + Self.deadlineSeconds
        )
    }

    /// An answer of the node; where there is none, the chain is unavailable.
    func ask<Answer: Sendable>(
        _ question: () async throws(NodeError) -> Answer
    ) async throws(Problem) -> Answer {
        do throws(NodeError) {
            return try await question()
        } catch {
            throw ChainProblem.unavailable(error)
        }
    }

    private func approval(
        of amount: BigUInt,
        token: EthereumAddress,
        for offer: Deployment.Offer
    ) throws(Problem) -> IntentMaker.Call {
        IntentMaker.Call(
            kind: .approve,
            to: token,
            value: .zero,
            data: try Self.data { () throws(ABIError) in
                try KnownCall.approve.callData([.address(offer.contract), .uint(amount)])
            },
            gasMax: 100_000,
            amount: Money(minorUnits: Int128(clamping: amount), offer.asset)
        )
    }

    private func call(
        _ step: ProtocolDescription.Step,
        _ arguments: CallArguments,
        kind: Intent.Kind,
        amount: Money
    ) throws(Problem) -> IntentMaker.Call {
        guard let contract = arguments.offer.address(step.to) else { throw Self.unsupported }
        return IntentMaker.Call(
            kind: kind,
            to: contract,
            value: arguments.coins(step),
            data: try Self.data { () throws(ABIError) in try arguments.callData(step) },
            gasMax: step.gasMax,
            amount: amount
        )
    }

    private static func data(_ make: () throws(ABIError) -> [UInt8]) throws(Problem) -> [UInt8] {
        do throws(ABIError) {
            return try make()
        } catch {
            throw unsupported
        }
    }
}

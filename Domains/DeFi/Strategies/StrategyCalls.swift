import Kernel
import WalletCrypto

/// A strategy's actions as calls of its protocol's contracts.
struct StrategyCalls: Sendable {
    /// How long a call with a deadline may wait for its block.
    static let deadlineSeconds: Int64 = 3_600

    let chain: EthereumChain

    /// Putting an amount in: the approval of exactly that amount first, where the contract takes it itself.
    ///
    /// - Throws: 422 `asset_not_supported`.
    func start(
        _ offer: Deployment.Offer,
        wallet: EthereumAddress,
        amount: Money,
        pairAmount: BigUInt,
        now: Timestamp
    ) throws(Problem) -> [IntentMaker.Call] {
        var arguments = try arguments(offer, wallet, now)
        arguments.amount = BigUInt(amount.minorUnits)
        arguments.pairAmount = pairAmount
        arguments.amountMin = CallArguments.least(arguments.amount)
        arguments.pairAmountMin = CallArguments.least(pairAmount)
        var calls: [IntentMaker.Call] = []
        if offer.description.needsApproval {
            guard let asset = arguments.asset else { throw Self.unsupported }
            calls.append(try approval(of: arguments.amount, token: asset, for: offer))
            if let pair = arguments.pair { calls.append(try approval(of: pairAmount, token: pair, for: offer)) }
        }
        calls.append(
            try call(
                offer.description.start,
                offer,
                arguments,
                kind: .start,
                amount: amount,
                pairAmount: Int128(clamping: pairAmount),
                token: offer.description.needsApproval ? arguments.asset : nil
            )
        )
        return calls
    }

    /// Taking a part out; `principal` is its share of what went in.
    ///
    /// - Throws: 422 `partial_exit_not_offered`.
    func exit(
        _ strategy: Strategy,
        amount: Money,
        principal: Int128,
        now: Timestamp
    ) throws(Problem) -> [IntentMaker.Call] {
        let offer = try offer(of: strategy)
        guard let step = offer.description.exit else {
            throw Problem(422, "partial_exit_not_offered", "Here all is taken out at once. Stop it instead.")
        }
        var arguments = try arguments(offer, strategy.address, now)
        arguments.amount = BigUInt(amount.minorUnits)
        return [try call(step, offer, arguments, kind: .exit, amount: amount, principal: principal)]
    }

    /// Taking all out, as much as the chain says there is now.
    ///
    /// - Throws: 422 `exit_not_offered`, `nothing_to_exit`; 503.
    func stop(_ strategy: Strategy, now: Timestamp) async throws -> [IntentMaker.Call] {
        let offer = try offer(of: strategy)
        guard !offer.description.stop.isEmpty else {
            throw Problem(422, "exit_not_offered", "It leaves through the protocol's own queue or the market.")
        }
        let worth = try await worth(of: strategy, in: offer)
        guard !worth.units.isZero || !worth.amount.isZero else {
            throw Problem(422, "nothing_to_exit", "Nothing is left in it.")
        }
        var arguments = try arguments(offer, strategy.address, now)
        (arguments.units, arguments.token) = (worth.units, strategy.token ?? .zero)
        arguments.amountMin = offer.description.isPair ? CallArguments.least(worth.amount - worth.owed) : .zero
        arguments.pairAmountMin = CallArguments.least((worth.pairAmount ?? .zero) - worth.pairOwed)
        let amount = Money(minorUnits: Int128(clamping: worth.amount), strategy.asset)
        var calls: [IntentMaker.Call] = []
        // Liquidity that is out already only has to be collected.
        let steps = worth.units.isZero ? offer.description.stop.suffix(1) : offer.description.stop[...]
        for (place, step) in steps.enumerated() {
            let isLast = place == steps.count - 1
            calls.append(
                try call(
                    step,
                    offer,
                    arguments,
                    kind: .exit,
                    amount: amount,
                    principal: isLast ? strategy.principal : 0
                )
            )
        }
        return calls
    }

    /// Taking what was earned.
    ///
    /// - Throws: 422 `nothing_to_harvest`.
    func harvest(_ strategy: Strategy, now: Timestamp) async throws -> [IntentMaker.Call] {
        let offer = try offer(of: strategy)
        let worth = try await worth(of: strategy, in: offer)
        guard let step = offer.description.harvest, !worth.owed.isZero || !worth.pairOwed.isZero else {
            throw Problem(422, "nothing_to_harvest", "What it earns stays in it by itself, or there is nothing yet.")
        }
        var arguments = try arguments(offer, strategy.address, now)
        arguments.token = strategy.token ?? .zero
        let amount = Money(minorUnits: Int128(clamping: worth.owed), strategy.asset)
        return [try call(step, offer, arguments, kind: .harvest, amount: amount)]
    }

    /// What a strategy's position is worth now.
    func worth(of strategy: Strategy, in offer: Deployment.Offer) async throws -> PositionReading.Worth {
        let question = PositionReading.Question(offer: offer, wallet: strategy.address, token: strategy.token)
        do throws(NodeError) {
            guard let worth = try await PositionReading(node: chain.nodes.first).worth(of: [question], at: .latest)[0]
            else { throw NodeError.malformed("position") }
            return worth
        } catch {
            throw ChainProblem.unavailable(error)
        }
    }

    /// - Throws: 422 `offer_gone`.
    func offer(of strategy: Strategy) throws(Problem) -> Deployment.Offer {
        guard let offer = chain.deployment.offer(strategy.offer) else {
            throw Problem(422, "offer_gone", "The protocol isn't offered any more. Use its own site to leave it.")
        }
        return offer
    }

    private static let unsupported = Problem(422, "asset_not_supported", "The asset isn't on this chain.")

    private func arguments(
        _ offer: Deployment.Offer,
        _ wallet: EthereumAddress,
        _ now: Timestamp
    ) throws(Problem) -> CallArguments {
        CallArguments(
            asset: chain.deployment.token(offer.asset),
            pair: offer.pair?.contract,
            wallet: wallet,
            deadline: now.seconds + Self.deadlineSeconds
        )
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
        _ offer: Deployment.Offer,
        _ arguments: CallArguments,
        kind: Intent.Kind,
        amount: Money,
        pairAmount: Int128 = 0,
        principal: Int128 = 0,
        token: EthereumAddress? = nil
    ) throws(Problem) -> IntentMaker.Call {
        IntentMaker.Call(
            kind: kind,
            to: offer.contract,
            value: arguments.coins(step),
            data: try Self.data { () throws(ABIError) in try arguments.callData(step) },
            gasMax: step.gasMax,
            amount: amount,
            pairAmount: pairAmount,
            principal: principal,
            token: token
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

import DomainKit
import HTTP
import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// Offers, strategies and positions.
struct StrategyRoutes: Sendable {
    let chain: EthereumChain
    let strategies: Strategies
    let payers: Payers
    let openings: IntentOpenings
    let ledger: Ledger
    let ids: IDGenerator
    let clock: any WallClock

    var routes: [Route] { [yields, start, list, get, harvest, stop] }

    private static let problems: [Int: [String]] = [
        404: ["not_found", "offer_not_found"],
        409: ["strategy_changed", "strategy_not_open", "strategy_filling", "strategy_leaving", "exit_queued"],
        422: IntentRoutes.problems[422, default: []] + [
            "nothing_to_exit", "nothing_to_harvest", "not_enough_in_it", "protocol_paused", "offer_gone",
            "pair_amount_needed", "bad_rule", "beyond_risk_tolerance",
        ],
        503: ["chain_unavailable"],
    ]

    private var yields: Route {
        Route(
            .get,
            "/v1/defi/yields",
            operationID: "listYields",
            summary: "What is offered, and what it yields",
            description: "Rates are the chain's own, with the block that they are of; none older than a day is shown.",
            tag: "Strategies",
            access: .permission("defi:read"),
            responses: [200: ResponseShape("The offers.", Self.offerList)]
        ) { request in
            let tolerance = try await settings(of: try request.requirePrincipal().user).tolerance
            var offers: [JSON] = []
            for offer in chain.deployment.offers {
                let rate = try await strategies.rate(of: offer.id, on: chain.name)
                offers.append(offer.json(rate, beyond: tolerance.beyond(offer.description), now: request.now))
            }
            return .ok(["data": .array(offers)])
        }
    }

    private var start: Route {
        Route(
            .post,
            "/v1/defi/strategies",
            operationID: "startStrategy",
            summary: "Start a strategy",
            description: """
                The answer has the transactions to sign, in their order. Where the wallet has a position in the offer \
                already, the amount is added to it.
                """,
            tag: "Strategies",
            access: .permission("defi:move"),
            isIdempotent: true,
            body: .json(Self.startBody),
            responses: [
                201: ResponseShape("Strategy and transactions.", Self.action, headers: [.location, .replayed])
            ],
            problems: Self.problems
        ) { request in
            try await idempotently(request, ledger, ids) { try await start(request) }
        }
    }

    private func settings(of user: ID<User>) async throws -> DeFiSettings {
        try await DeFiSettings.of(user, in: strategies.schema, strategies.pool)
    }

    private func start(_ request: APIRequest) async throws -> APIResponse {
        let (body, user) = (request.body, try request.requirePrincipal().user)
        guard let offer = chain.deployment.offer(body["offer"]?.stringValue ?? "") else {
            throw Problem(404, "offer_not_found", "There is no such offer. `GET /v1/defi/yields` lists them.")
        }
        guard let walletID = body["wallet"]?.stringValue.flatMap({ ID<Wallet>(wire: $0) }) else {
            throw Problem.malformed("bad_format", in: "/wallet")
        }
        let amount = try Money(positive: body["amount"]?.stringValue ?? "", offer.asset, at: "/amount")
        let pairAmount = body["pair_amount"]?.stringValue.flatMap { BigUInt($0) } ?? .zero
        guard offer.description.isPair == !pairAmount.isZero, pairAmount.int128 != nil else {
            throw Problem(422, "pair_amount_needed", "A pair takes both tokens, everything else the one.")
        }
        let settings = try await settings(of: user)
        try settings.tolerance.check(offer)
        let wallet = try await payers.wallet(walletID, of: user, on: chain.name)
        let calls = try await StrategyCalls(chain: chain).start(
            offer,
            wallet: wallet.address,
            amount: amount,
            pairAmount: pairAmount,
            now: clock.now()
        )
        let known = try await strategies.open(of: wallet.id, in: offer)
        let id: ID<Strategy> = known?.id ?? ids.next()
        let row = try Self.row(id, wallet, offer, chain.name, known?.rules ?? settings.rules, isNew: known == nil, body)
        let speed = IntentRoutes.speed(body)
        let drafts = try await openings.maker.drafts(calls, from: wallet, strategy: id, speed: speed)
        return try await store(try await openings.open(drafts), of: id, with: [row], for: request)
    }

    /// A new strategy, or the one that is there with the rules that are given now.
    private static func row(
        _ id: ID<Strategy>,
        _ wallet: LinkedWallet,
        _ offer: Deployment.Offer,
        _ chain: String,
        _ usual: StrategyRules.Wanted,
        isNew: Bool,
        _ body: JSON
    ) throws(Problem) -> any StoredRow {
        var rules = usual
        rules.stopLoss = try rule(body, "stop_loss") ?? rules.stopLoss
        rules.drawdownMax = try rule(body, "drawdown_max") ?? rules.drawdownMax
        rules.autoCompound = body["auto_compound"]?.boolValue ?? rules.autoCompound
        rules.rebalance = try rebalance(body, offer) ?? rules.rebalance
        if !isNew { return StrategyRulesRow(strategy: id, rules: rules) }
        return NewStrategyRow(id: id, wallet: wallet, chain: chain, offer: offer, rules: rules)
    }

    /// When a position is to move on; only where it can at once.
    private static func rebalance(_ body: JSON, _ offer: Deployment.Offer) throws(Problem) -> RebalanceRule.Terms? {
        guard let wanted = body["rebalance"] else { return nil }
        guard offer.isMovable, let band = try rule(wanted, "band", in: "/rebalance"),
            let days = wanted["horizon_days"]?.integerValue, RebalanceRule.Terms.daysRange.contains(days),
            let observations = wanted["observations"]?.integerValue,
            RebalanceRule.Terms.observationsRange.contains(observations)
        else {
            throw Problem(
                422,
                "bad_rule",
                "A position of one asset that leaves at once can move; this one can't.",
                faults: [Problem.Fault("/rebalance", "bad_rule")]
            )
        }
        return RebalanceRule.Terms(band: band, days: days, observations: observations)
    }

    /// A fraction above 0 and below 1 as billionths.
    private static func rule(_ body: JSON, _ name: String, in place: String = "") throws(Problem) -> Int64? {
        guard let text = body[name]?.stringValue else { return nil }
        guard let fraction = Fixed18(text), !fraction.scaled.isNegative,
            let value = (fraction.scaled.magnitude / BigUInt.powerOfTen(Fixed18.places - Billionths.places)).uint64,
            (1...1_000_000_000).contains(value)
        else {
            throw Problem(
                422,
                "bad_rule",
                "A rule is a fraction above 0 and below 1, as 0.05.",
                faults: [Problem.Fault("\(place)/\(name)", "bad_rule")]
            )
        }
        return Int64(value)
    }

    private var list: Route {
        Route(
            .get,
            "/v1/defi/positions",
            operationID: "listStrategies",
            summary: "List strategies with what they are worth",
            description: "Read from the chain's state, as of the block that each one names.",
            tag: "Strategies",
            access: .permission("defi:read"),
            responses: [200: ResponseShape("The positions.", Self.strategyList)]
        ) { request in
            let user = try request.requirePrincipal().user
            return .ok(["data": .array(try await strategies.list(of: user).map(\.json))])
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/defi/strategies/{id}",
            operationID: "getStrategy",
            summary: "Read a strategy with its rules' decisions",
            tag: "Strategies",
            access: .permission("defi:read"),
            parameters: [Self.id],
            responses: [200: ResponseShape("The strategy.", Self.detail, headers: [.etag])],
            problems: [404: ["not_found"]]
        ) { request in
            let user = try request.requirePrincipal().user
            let strategy = try await strategies.get(try request.id("id"), of: user)
            return .ok([
                "strategy": strategy.json, "decisions": .array(try await strategies.decisions(of: strategy.id)),
            ]).tagged(EntityTag(version: strategy.version))
        }
    }

    private var harvest: Route {
        Route(
            .post,
            "/v1/defi/strategies/{id}/harvest",
            operationID: "harvestStrategy",
            summary: "Take what a strategy earned",
            description: "Or what has come through the protocol's queue.",
            tag: "Strategies",
            access: .permission("defi:move"),
            isIdempotent: true,
            parameters: [Self.id],
            body: .json(.object([IntentRoutes.speedProperty], named: "Harvest")),
            responses: [
                201: ResponseShape("Strategy and transactions.", Self.action, headers: [.location, .replayed])
            ],
            problems: Self.problems
        ) { request in
            try await act(request) { strategy, calls, _ in try await calls.harvest(strategy, now: clock.now()) }
        }
    }

    private var stop: Route {
        Route(
            .post,
            "/v1/defi/strategies/{id}/stop",
            operationID: "stopStrategy",
            summary: "Leave a strategy, or take a part out",
            description: "In an emergency it pays for the next block.",
            tag: "Strategies",
            access: .permission("defi:move"),
            isIdempotent: true,
            parameters: [Self.id],
            body: .json(Self.stopBody),
            responses: [
                201: ResponseShape("Strategy and transactions.", Self.action, headers: [.location, .replayed])
            ],
            problems: Self.problems
        ) { request in
            try await act(request) { strategy, calls, body in
                guard let text = body["amount"]?.stringValue else {
                    return try await calls.stop(strategy, now: clock.now())
                }
                let amount = try Money(positive: text, strategy.asset, at: "/amount")
                return try await calls.exit(strategy, amount: amount, now: clock.now())
            }
        }
    }

    private func act(
        _ request: APIRequest,
        _ make: @Sendable @escaping (Strategy, StrategyCalls, JSON) async throws -> [IntentMaker.Call]
    ) async throws -> APIResponse {
        try await idempotently(request, ledger, ids) {
            let user = try request.requirePrincipal().user
            let strategy = try await strategies.get(try request.id("id"), of: user)
            guard strategy.status != .stopped else {
                throw Problem(409, "strategy_not_open", "It has been left already.")
            }
            try await strategies.requireNotFilling(strategy.id)
            let calls = try await make(strategy, StrategyCalls(chain: chain), request.body)
            let isUrgent = request.body["emergency"]?.boolValue == true
            let speed = isUrgent ? GasPrice.Speed.fast : IntentRoutes.speed(request.body)
            let opened = try await openings.open(calls, for: strategy, speed: speed)
            return try await store(opened, of: strategy.id, with: [], for: request)
        }
    }

    private func store(
        _ opened: OpenedIntents,
        of strategy: ID<Strategy>,
        with rows: [any StoredRow],
        for request: APIRequest
    ) async throws -> APIResponse {
        let json: JSON = [
            "strategy": .string(strategy.wire), "transactions": .array(opened.intents.map(\.json)),
        ]
        let requestID = request.id
        let answer = StoredAnswer(.created(json, location: "/v1/defi/strategies/\(strategy.wire)"))
        let item = LedgerItem(
            operation: strategy.cast(),
            commands: opened.commands,
            idempotency: try request.scopedKey()
        ) { decision, _ in
            switch decision {
            case .success(let receipt): return LedgerItem.Finish(rows: rows + opened.stored(receipt), answer: answer)
            case .failure(let refusal):
                let problem = Self.problem(refusal, in: opened.intents[0].amount.asset)
                return LedgerItem.Finish(answer: StoredAnswer(.problem(problem, to: requestID)))
            }
        }
        do {
            return try await ledger.submit(item).response()
        } catch let error as PostgresError
            where error.isStale || error.violates("strategies_one")
        {
            throw Problem(409, "strategy_changed", "It was changed or started by another request. Try again.")
        }
    }

    /// What is reserved in a strategy's account is reserved for another exit of it.
    private static func problem(_ refusal: LedgerRefusal, in asset: Asset) -> Problem {
        guard case .insufficientFunds = refusal else { return refusal.problem(in: asset) }
        return Problem(
            409,
            "strategy_leaving",
            "Another exit of it is open. Sign it, discard it, or wait until it ends."
        )
    }

    private static let id = Parameter.path("id", .id(of: Strategy.self), "The strategy.")
    private static let startBody = JSONSchema.object(
        [
            .required("wallet", .id(of: Wallet.self), "An own wallet, proven."),
            .required("offer", .text(1...60)), .required("amount", .positiveAmount),
            .optional("pair_amount", .string(.units), "Of a pair's other token."),
            .optional("stop_loss", .string(.fraction), "Of what went in: the fraction whose loss asks for an exit."),
            .optional("drawdown_max", .string(.fraction), "The same of the highest worth."),
            .optional("auto_compound", .bool, "To harvest where that pays; as your settings say unless given."),
            .optional("rebalance", rebalanceSchema, "When it is to move to another offer of the same asset."),
            IntentRoutes.speedProperty,
        ],
        named: "NewStrategy"
    )
    static let rebalanceSchema = JSONSchema.object(
        [
            .required("band", .string(.fraction), "By how much a year the other one has to be better, gas counted."),
            .required("horizon_days", .integer(RebalanceRule.Terms.daysRange), "Over which both transactions pay."),
            .required(
                "observations",
                .integer(RebalanceRule.Terms.observationsRange),
                "In how many in a row, ten minutes apart, it has to be so."
            ),
        ],
        named: "StrategyRebalance"
    )
    private static let stopBody = JSONSchema.object(
        [
            .optional("amount", .positiveAmount, "A part; all of it unless given."),
            .optional("emergency", .bool), IntentRoutes.speedProperty,
        ],
        named: "StrategyExit"
    )
    private static let action = JSONSchema.object(
        [
            .required("strategy", .id(of: Strategy.self)),
            .required("transactions", .array(of: Intent.schema, count: 1...10)),
        ],
        named: "StrategyAction"
    )
    private static let detail = JSONSchema.object(
        [
            .required("strategy", Strategy.schema),
            .required("decisions", .array(of: .any, count: 0...200), "Newest first."),
        ],
        named: "StrategyDetail"
    )
    private static let strategyList = JSONSchema.object(
        [.required("data", .array(of: Strategy.schema, count: 0...200))],
        named: "StrategyList"
    )
    private static let offerList = JSONSchema.object(
        [.required("data", .array(of: Deployment.Offer.schema, count: 0...1_000))],
        named: "OfferList"
    )
}

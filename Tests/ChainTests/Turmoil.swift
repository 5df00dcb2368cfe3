import Kernel
import PostgreSQL
import Randomness
import Testing
import WalletCrypto

@testable import DeFi

/// Users who do everything there is to do, on a chain that changes its mind and whose nodes fail in every way.
final class Turmoil {
    /// What users do.
    enum Deed: CaseIterable {
        case payTokens
        case payCoins
        case start
        case leavePart
        case leave
        case harvest
        case speedUp
        case cancel

        var replaces: Bool { self == .speedUp || self == .cancel }
    }

    /// What there was of everything, so that a test can say that everything was there.
    struct Seen {
        var faults: Set<DevChain.Fault> = []
        var kept: Set<Int> = []
        var dropped: Set<Int> = []
        /// Of each node.
        var lags: [Int] = []
        var crashes = 0
        var deeds: [Deed: Int] = [:]
        var offers: Set<Offered> = []
        var transactions = 0
    }

    /// How much of everything there has to be.
    struct Measure {
        var transactions = 200
        /// Each of what users do.
        var deeds = 3
        /// Depths of reorganisations, from 1 on; each has to be there.
        var depths = 10
        /// Each of what goes wrong.
        var times = 5
        /// Kinds of faults that calls have met.
        var faults = DevChain.Fault.allCases.count

        /// More than what a reorganisation takes back.
        var confirmations: Int { depths + 2 }

        /// Whether there is, but for faults.
        func isMet(by seen: Seen) -> Bool {
            seen.transactions >= transactions && seen.offers.count == Offered.allCases.count
                && Deed.allCases.allSatisfy { seen.deeds[$0, default: 0] >= deeds }
                && seen.kept.union(seen.dropped).count == depths && seen.kept.count >= times
                && seen.dropped.count >= times && seen.crashes >= times
                && seen.lags.allSatisfy { $0 >= times }
        }
    }

    private static let peopleCount = 5
    /// How often somebody tries again while nodes fail.
    private static let triesMax = 50
    private static let faultyMethods = [
        "eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getBlockByNumber", "eth_blockNumber", "eth_getLogs",
        "eth_getTransactionByHash", "eth_call", "eth_getTransactionCount", "eth_getBalance", "eth_estimateGas",
        "eth_feeHistory", "*",
    ]

    let seed: UInt64
    let measure: Measure
    let people: [ChainWorld.Person]
    /// What each had in the beginning.
    let start: [Holdings]
    private(set) var world: ChainWorld
    private(set) var seen = Seen()
    private(set) var strategies: [ID<Strategy>: ChainWorld.Person] = [:]
    /// Positions with numbers: each start is another one, so that everybody has one of each offer.
    private var pairs: [ID<Strategy>: Offered] = [:]
    private let nodes: [DevChain]
    private var random: SeededRandom
    private var automines = true

    init(_ world: ChainWorld, seed: UInt64, _ measure: Measure) async throws {
        (self.world, self.seed, self.measure, random) = (world, seed, measure, SeededRandom(seed))
        nodes = world.chain.nodes.second == nil ? [world.dev] : [world.dev, world.dev.second]
        seen.lags = nodes.map { _ in 0 }
        var people: [ChainWorld.Person] = []
        for place in 1...Self.peopleCount { people.append(try await world.person(place)) }
        for person in people {
            for other in people where other.user != person.user { try await world.know(other.address, by: person) }
        }
        self.people = people
        start = try await world.holdings(of: people)
        try await world.dev.mine(measure.depths)
        try await world.follow()
    }

    /// Whether everything was there: transactions, all that users do with all that is offered, every kind of fault,
    /// nodes that lag, reorganisations of many depths that keep and that drop, and crashes.
    var isEnough: Bool {
        get async throws {
            guard measure.isMet(by: seen) else { return false }
            seen.faults = try await world.dev.met()
            return seen.faults.count >= measure.faults
        }
    }

    /// Somebody does something, something goes wrong or not, and what there is to do is tried.
    func step() async throws {
        try await act()
        try await disturb()
        try await patiently { try await world.parts.sender.round() }
        try await patiently { try await world.parts.follower.step() }
    }

    /// Nothing goes wrong any more, until everything is over.
    func calm() async throws {
        for node in nodes { try await node.heal() }
        for _ in 0..<200 {
            try await world.makeDue()
            try await patiently { try await world.parts.sender.round() }
            try await world.dev.mine()
            try await patiently { try await world.parts.follower.step() }
            let open: Int = try await world.pool.query(
                """
                select count(*) from defi.intents
                where state not in ('built', 'final', 'failed', 'replaced', 'expired')
                """
            )[0][0]
            if open == 0 { return try await clear() }
        }
        let left = try await world.pool.query(
            """
            select kind, state, reason, nonce from defi.intents
            where state not in ('built', 'final', 'failed', 'replaced', 'expired')
            """
        )
        for row in left {
            let (kind, state, reason): (String, String, String?) = (
                try row["kind"], try row["state"], try row["reason"]
            )
            let nonce: Int64 = try row["nonce"]
            Issue.record("\(kind) \(state) \(reason ?? "") nonce \(nonce), seed \(seed)")
        }
    }

    /// What the nodes didn't say alike is asked about once more.
    private func clear() async throws {
        _ = try await world.pool.query("update defi.unclear_transactions set next_at = now()")
        try await patiently { try await world.parts.follower.step() }
    }

    // MARK: What users do

    private func act() async throws {
        // Starts are more than one in eight, so that there is something to leave.
        let deed = random.once(in: 6) ? Deed.start : random.pick(Deed.allCases)
        let offer = random.pick(Offered.allCases)
        guard let (person, path, body) = try await request(deed, offer) else { return }
        let answer = try await world.ask("POST", path, by: person, body)
        guard answer.status == 201 else {
            // The chain's node is faulty, exits may come too early, nothing may be earned: nothing happened.
            #expect([409, 422, 503].contains(answer.status), "\(deed) \(answer.json), seed \(seed)")
            return
        }
        if deed == .start, let id = answer.json["strategy"]?.stringValue.flatMap({ ID<Strategy>(wire: $0) }) {
            strategies[id] = person
            if offer.isPair { pairs[id] = offer }
        }
        for json in answer.json["transactions"]?.elements ?? [answer.json] {
            guard try await sign(json, deed, by: person) else { return }
        }
        seen.deeds[deed, default: 0] += 1
        if deed == .start { seen.offers.insert(offer) }
    }

    /// Signs what was built and gives it back; whether it was taken.
    private func sign(_ json: JSON, _ deed: Deed, by person: ChainWorld.Person) async throws -> Bool {
        let intent = try await world.intent(json)
        var submitted = try await world.submit(intent, by: person)
        // What a vault gives now is asked of a node, which may fail: whoever has signed tries again.
        for _ in 0..<Self.triesMax where submitted.status == 503 {
            submitted = try await world.submit(intent, by: person)
        }
        seen.transactions += submitted.status == 202 ? 1 : 0
        #expect(submitted.status == 202, "\(deed) \(submitted.json), seed \(seed)")
        return submitted.status == 202
    }

    /// What somebody asks for; nil where there is nothing to do it with.
    private func request(
        _ deed: Deed,
        _ offer: Offered
    ) async throws -> (by: ChainWorld.Person, path: String, body: JSON)? {
        let person = random.pick(people)
        let wallet = JSON.string(person.wallet.wire)
        switch deed {
        case .payTokens, .payCoins:
            let to = JSON.string(random.pick(people.filter { $0.user != person.user }).address.description)
            let (asset, amount): (JSON, JSON) = deed == .payCoins ? ("ETH", "0.01") : ("USDC", "1")
            return (person, "/v1/defi/intents", ["wallet": wallet, "to": to, "asset": asset, "amount": amount])
        case .start:
            guard
                !offer.isPair || !strategies.contains(where: { $0.value.user == person.user && pairs[$0.key] == offer })
            else { return nil }
            var body: [JSON.Member] = [.init("wallet", wallet), .init("offer", .string(offer.rawValue))]
            body.append(.init("amount", .string(offer == .lido ? "0.3" : "30")))
            if offer.isPair { body.append(.init("pair_amount", "10000000000000000")) }
            return (person, "/v1/defi/strategies", .object(body))
        case .leavePart, .leave, .harvest:
            guard let (strategy, owner) = try await settled(harvested: deed == .harvest) else { return nil }
            let path = "/v1/defi/strategies/\(strategy.id.wire)/"
            if deed == .harvest { return (owner, path + "harvest", [:]) }
            let part: JSON = ["amount": strategy.asset == .eth ? "0.1" : "4"]
            return (owner, path + "stop", deed == .leavePart ? part : ["emergency": .bool(random.percent(50))])
        case .speedUp, .cancel:
            let open = try await world.pool.query(
                "select id, wallet from defi.intents where state in ('signed', 'broadcast', 'dropped') order by id"
            )
            guard !open.isEmpty else { return nil }
            let row = random.pick(Array(open))
            let (id, wallet): (ID<Intent>, ID<Wallet>) = (try row["id"], try row["wallet"])
            let owner = try #require(people.first { $0.wallet == wallet })
            let body: JSON = deed == .cancel ? ["action": "cancel"] : ["action": "speed_up", "speed": "fast"]
            return (owner, "/v1/defi/intents/\(id.wire)/replace", body)
        }
    }

    /// A strategy into which nothing is on its way; one that has something to harvest sooner or later, if asked for.
    private func settled(harvested: Bool) async throws -> (Strategy, ChainWorld.Person)? {
        let offers = [Offered.compound, .lido, .pair, .narrowPair].map(\.rawValue)
        for (id, person) in strategies.sorted(by: { $0.key < $1.key }).shuffled(using: &random) {
            let strategy = try await world.strategy(id, of: person)
            guard strategy.status == .active, !harvested || offers.contains(strategy.offer) else { continue }
            do {
                try await world.parts.strategies.requireNotFilling(id)
            } catch is Problem {
                continue
            }
            return (strategy, person)
        }
        return nil
    }

    // MARK: What goes wrong

    private func disturb() async throws {
        switch random.below(13) {
        case 0, 1:
            let keeps = random.percent(50)
            // Those first that weren't there yet.
            let depths = Set(1...measure.depths)
            let missing = depths.subtracting(seen.kept.union(seen.dropped))
            let depth = random.pick((missing.isEmpty ? depths : missing).sorted())
            try await world.dev.reorganise(depth: depth, keeping: keeps)
            if keeps { seen.kept.insert(depth) } else { seen.dropped.insert(depth) }
        case 2, 3, 4:
            let fault = random.pick(DevChain.Fault.allCases)
            try await random.pick(nodes).fault(fault, on: random.pick(Self.faultyMethods))
        case 5: try await world.dev.mine(1 + random.below(3))
        case 6: try await world.makeDue()
        case 7: try await crash()
        case 8:
            // What waits longer for its block can be replaced.
            automines.toggle()
            try await world.dev.setAutomine(automines)
            if automines { try await world.dev.mine() }
        case 9: try await happen()
        case 10, 11:
            let place = random.below(nodes.count)
            // No events are the one answer that looks as true of a block that a node doesn't have.
            let method = random.percent(50) ? "eth_getLogs" : random.pick(Self.faultyMethods)
            try await nodes[place].lag(method, count: 1 + random.below(4))
            seen.lags[place] += 1
        default: break
        }
    }

    /// A process that ends after the node has what it sent, and before it has stored so; another one goes on.
    private func crash() async throws {
        let waiting = try await world.pool.query("select raw from defi.intents where state in ('signed', 'dropped')")
        for row in waiting {
            let raw: Bytes = try row["raw"]
            _ = await world.chain.nodes.send(raw.array)
        }
        seen.crashes += 1
        world = try await world.restarted()
    }

    /// What others do: a price moves, fees are paid, the queue's requests come through.
    private func happen() async throws {
        // Not the test itself is to meet a fault.
        try await world.dev.heal()
        switch random.below(3) {
        case 0: try await world.setPrice(2_950 + random.below(100))
        case 1:
            for (id, person) in strategies.sorted(by: { $0.key < $1.key }).shuffled(using: &random) {
                let strategy = try await world.strategy(id, of: person)
                guard strategy.token != nil, strategy.status == .active else { continue }
                return try await world.fees(of: strategy, usdc: 50_000, wei: BigUInt.powerOfTen(12))
            }
        default:
            let queue = try #require(try world.offer(.lido).address(.queue))
            try await world.dev.send("finalizeAll()", [], to: queue, gas: 8_000_000)
        }
    }
}

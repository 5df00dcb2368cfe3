import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// Many transactions while the chain changes its mind and its node fails in every way: books and chain end the same.
@Suite(.serialized)
struct ReorganisationTests {
    private static let intents = 200
    private static let depthMax = 10

    /// What has gone wrong, so that a test can say that everything did.
    struct Disturbances {
        var faults: Set<DevChain.Fault> = []
        var kept: Set<Int> = []
        var dropped: Set<Int> = []
        var crashes = 0
    }

    @Test(.timeLimit(.minutes(15)))
    func `two hundred transactions survive reorganisations, crashes and faults of every kind`() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await ChainWorld.with(confirmations: Self.depthMax + 2) { first in
            var world = first
            var seen = Disturbances()
            var random = Seeded(state: seed)
            var people: [ChainWorld.Person] = []
            for place in 1...5 { people.append(try await world.person(place)) }
            let start = try await world.holdings(of: people)
            var strategies: [ID<Strategy>: ChainWorld.Person] = [:]
            try await world.dev.mine(Self.depthMax)
            try await world.follow()
            var made = 0
            for _ in 0..<2_000 where made < Self.intents || !seen.isAll {
                let person = people[Int.random(in: 0..<people.count, using: &random)]
                made += try await world.act(person, &strategies, &random)
                world = try await world.disturbed(&seen, &random)
                try await world.patiently { try await world.parts.sender.round() }
                try await world.patiently { try await world.parts.follower.step() }
            }
            #expect(made >= Self.intents && seen.isAll, "seed \(seed), \(seen)")
            try await world.calm()
            try await world.compare(people, start, strategies, seed: seed)
        }
    }
}

extension ReorganisationTests.Disturbances {
    /// Whether every kind of fault, reorganisations of every depth that keep and that drop, and crashes were there.
    var isAll: Bool {
        faults.count == DevChain.Fault.allCases.count && kept.union(dropped).count == 10 && kept.count >= 5
            && dropped.count >= 5 && crashes >= 5
    }
}

/// A generator by seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension ChainWorld {
    fileprivate static let faultyMethods = [
        "eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getBlockByNumber", "eth_blockNumber", "eth_getLogs",
        "eth_getTransactionByHash", "eth_call", "eth_getTransactionCount", "*",
    ]

    /// Does something that may meet a fault; what fails is done again later.
    fileprivate func patiently(_ work: () async throws -> Int) async throws {
        do {
            _ = try await work()
        } catch is NodeError {
            return
        } catch let error as PostgresError where error.isStale {
            return
        } catch is IntentState.Impossible {
            return
        }
    }

    /// Starts, leaves or pays something; how many transactions that were.
    fileprivate func act(
        _ person: Person,
        _ strategies: inout [ID<Strategy>: Person],
        _ random: inout Seeded
    ) async throws -> Int {
        let mine = strategies.filter { $0.value.user == person.user }.keys.sorted()
        let body: JSON
        let path: String
        switch Int.random(in: 0..<3, using: &random) {
        case 0 where !mine.isEmpty:
            path = "/v1/defi/strategies/\(mine[Int.random(in: 0..<mine.count, using: &random)].wire)/stop"
            body = Bool.random(using: &random) ? [:] : ["amount": "1"]
        case 1:
            path = "/v1/defi/intents"
            // To oneself: only gas is lost, and everybody's holdings stay comparable.
            body = [
                "wallet": .string(person.wallet.wire), "to": .string(person.address.description), "asset": "USDC",
                "amount": "1",
            ]
        default:
            path = "/v1/defi/strategies"
            let offers = ["aave-usdc", "compound-usdc", "vault-usdc"]
            body = [
                "wallet": .string(person.wallet.wire), "amount": "10",
                "offer": .string(offers[Int.random(in: 0..<offers.count, using: &random)]),
            ]
        }
        let answer = try await ask("POST", path, by: person, body)
        guard answer.status == 201 else {
            // The chain's node is faulty and exits may come too early: refused, and nothing happened.
            #expect([409, 422, 503].contains(answer.status), "\(answer.json)")
            return 0
        }
        if path == "/v1/defi/strategies",
            let id = answer.json["strategy"]?.stringValue.flatMap({ ID<Strategy>(wire: $0) })
        {
            strategies[id] = person
        }
        let made = answer.json["transactions"]?.elements ?? [answer.json]
        for json in made {
            let submitted = try await submit(try await intent(json), by: person)
            #expect(submitted.status == 202, "\(submitted.json)")
        }
        return made.count
    }

    /// Lets something go wrong, or nothing; the world as it is then.
    fileprivate func disturbed(
        _ seen: inout ReorganisationTests.Disturbances,
        _ random: inout Seeded
    ) async throws -> ChainWorld {
        switch Int.random(in: 0..<9, using: &random) {
        case 0, 1:
            let depth = Int.random(in: 1...10, using: &random)
            let keeps = Bool.random(using: &random)
            try await dev.reorganise(depth: depth, keeping: keeps)
            if keeps { seen.kept.insert(depth) } else { seen.dropped.insert(depth) }
        case 2, 3:
            let faults = DevChain.Fault.allCases
            let fault = faults[Int.random(in: 0..<faults.count, using: &random)]
            let methods = Self.faultyMethods
            try await dev.fault(fault, on: methods[Int.random(in: 0..<methods.count, using: &random)])
            seen.faults.insert(fault)
        case 4: try await dev.mine(Int.random(in: 1...3, using: &random))
        case 5: try await makeDue()
        case 6:
            seen.crashes += 1
            return try await crashed()
        default: break
        }
        return self
    }

    /// A process that ends after the node has what it sent, and before it has stored so; another one goes on.
    private func crashed() async throws -> ChainWorld {
        let waiting = try await pool.query("select raw from defi.intents where state in ('signed', 'dropped')")
        for row in waiting {
            let raw: Bytes = try row["raw"]
            _ = await chain.nodes.send(raw.array)
        }
        return try await restarted()
    }

    /// Nothing goes wrong any more, until everything is over.
    fileprivate func calm() async throws {
        for _ in 0..<200 {
            try await makeDue()
            try await patiently { try await parts.sender.round() }
            try await dev.mine()
            try await patiently { try await parts.follower.step() }
            let open = try await pool.query(
                """
                select count(*) from defi.intents
                where state not in ('built', 'final', 'failed', 'replaced', 'expired')
                """
            )
            if try open[0][0] == 0 { return }
        }
        let left = try await pool.query(
            "select state, reason, nonce from defi.intents where state not in ('final', 'failed', 'replaced')"
        )
        for row in left {
            let (state, reason, nonce): (String, String?, Int64) = (
                try row["state"], try row["reason"], try row["nonce"]
            )
            Issue.record("\(state) \(reason ?? "") nonce \(nonce)")
        }
    }

    /// What people have in USDC and in wei.
    fileprivate func holdings(of people: [Person]) async throws -> [(usdc: Int128, wei: Int128)] {
        var all: [(usdc: Int128, wei: Int128)] = []
        for person in people {
            let wei = Int128(clamping: try await chain.nodes.first.balance(of: person.address))
            all.append((try await tokens(.usdc, of: person.address), wei))
        }
        return all
    }

    /// The books are the chain: gas, what is in strategies, what came out, and nothing in between.
    fileprivate func compare(
        _ people: [Person],
        _ start: [(usdc: Int128, wei: Int128)],
        _ strategies: [ID<Strategy>: Person],
        seed: UInt64
    ) async throws {
        let end = try await holdings(of: people)
        let spent = zip(start, end).reduce(0) { $0 + $1.0.wei - $1.1.wei }
        #expect(try await house("network_gas", .eth) == spent, "gas, seed \(seed)")
        for (place, person) in people.enumerated() {
            let mine = strategies.filter { $0.value.user == person.user }.keys
            var (principal, realized): (Int128, Int128) = (0, 0)
            for id in mine {
                let strategy = try await strategy(id, of: person)
                principal += strategy.principal
                #expect(try await deployed(strategy, by: person) == strategy.principal, "deployed, seed \(seed)")
                realized += strategy.realized
            }
            #expect(try await held("pending", .usdc, by: person) == 0, "pending, seed \(seed)")
            let wallet = WalletBooks.account(person.user, chain.name, .usdc).kind
            #expect(try await held(wallet, .usdc, by: person) == end[place].usdc, "wallet, seed \(seed)")
            #expect(try await held(wallet, .eth, by: person) == end[place].wei, "wallet, seed \(seed)")
            #expect(end[place].usdc - start[place].usdc == realized - principal, "tokens, seed \(seed)")
        }
        let sums = try await pool.query(
            """
            select count(*) from (
                select asset from defi.ledger_accounts group by asset having sum(posted) <> 0) s
            """
        )
        #expect(try sums[0][0] == 0, "seed \(seed)")
        let held = try await pool.query(
            "select count(*) from defi.reservations where state = 'active' and kind = 'strategy_exit'"
        )
        try await expectHolds("seed \(seed)")
        let waiting = try await pool.query(
            "select count(distinct reservation) from defi.intents where reservation is not null and state = 'built'"
        )
        let (active, built): (Int, Int) = (try held[0][0], try waiting[0][0])
        #expect(active == built, "reservations, seed \(seed)")
    }
}

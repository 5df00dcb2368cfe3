import Kernel
import Ledger
import PostgreSQL
import Randomness
import Testing

@testable import DeFi

/// Many deposits and withdrawals of a chain's coin while the chain changes its mind and its node fails in every way.
@Suite(.serialized)
struct HouseFlowTests {
    private static let steps = 60
    private static let depthMax = 4

    @Test(
        .timeLimit(.minutes(5)),
        arguments: [(.bitcoin, 2), (.bitcoin, Self.depthMax + 2), (.solana, 1)] as [(HouseChain.Kind, Int)]
    )
    func `after random flows the books are the chain`(kind: HouseChain.Kind, confirmations: Int) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await HouseWorld.with(kind, confirmations: confirmations) { first in
            var world = first
            var random = SeededRandom(seed)
            let coins = Array(repeating: kind == .bitcoin ? 20_000_000 : 3_000_000_000, count: 8)
            var people: [HouseWorld.Person] = []
            for isLinked in [true, true, false] { people.append(try await world.person(coins, isLinked: isLinked)) }
            try await world.dev.mine(Self.depthMax)
            try await world.follow()
            for _ in 0..<Self.steps {
                try await world.act(people, &random)
                if Int.random(in: 0..<10, using: &random) == 0 {
                    world = try await world.restarted()
                } else {
                    try await world.disturb(depthMax: Self.depthMax, &random)
                }
                try await world.advance()
            }
            try await world.calm(people)
            try await world.expectBooksAreChain("seed \(seed)")
            try await world.compare(people, seed: seed)
        }
    }
}

extension HouseWorld: CustodyTurmoil {
    func ask(_ method: String, _ path: String, by person: Person) async throws -> (status: Int, json: JSON) {
        try await ask(method, path, by: person, nil)
    }

    func mine() async throws { try await dev.mine() }

    func step() async throws -> Int { try await parts.follower.step() }

    private static let faultyMethods: [HouseChain.Kind: [String]] = [
        .bitcoin: [
            "sendrawtransaction", "signrawtransactionwithwallet", "getrawtransaction", "getblock", "getblockhash",
            "scantxoutset", "gettxout", "*",
        ],
        .solana: [
            "sendTransaction", "dev_signTransaction", "getSignatureStatuses", "getBlock", "getLatestBlockhash",
            "getBlockHeight", "*",
        ],
    ]

    /// Sends something in, asks for something out, or takes it back.
    fileprivate func act(_ people: [Person], _ random: inout SeededRandom) async throws {
        let person = people[Int.random(in: 0..<people.count, using: &random)]
        let tenths = Int.random(in: 1...9, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1, 2:
            try await patiently {
                do {
                    try await send("0.0\(tenths)", from: person)
                } catch let problem as Problem {
                    // Its coins are on their way, or the node doesn't answer.
                    #expect([422, 503].contains(problem.status), "\(problem)")
                }
                return 1
            }
        case 3, 4:
            let answer = try await withdraw(asset == .btc ? "0.00\(tenths)" : "0.0\(tenths)", by: person)
            #expect([202, 422].contains(answer.status), "\(answer.json)")
        default: try await cancelAll(of: person)
        }
    }

    /// Lets something go wrong, or nothing.
    fileprivate func disturb(depthMax: Int, _ random: inout SeededRandom) async throws {
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1:
            let depth = Int.random(in: 1...depthMax, using: &random)
            try await dev.reorganise(depth: depth, keeping: Bool.random(using: &random))
        case 2, 3:
            let fault = DevChain.Fault.allCases.randomElement(using: &random) ?? .lost
            let methods = Self.faultyMethods[dev.kind] ?? ["*"]
            try await dev.fault(fault, on: methods[Int.random(in: 0..<methods.count, using: &random)])
        case 4, 5: try await dev.mine()
        case 6: try await makeDue()
        default: break
        }
    }

    /// What each has is what the chain shows, read block by block from the first one: what it brought, less what was
    /// paid out and its fees.
    fileprivate func compare(_ people: [Person], seed: UInt64) async throws {
        let house = custody.chain.account
        var brought: [String: Int128] = [:]
        var number: Int64 = -1
        while let block = try await chain.block(after: number) {
            for entry in block.entries {
                let got = entry.moves.filter { $0.asset == asset && $0.address == house }.reduce(0) { $0 + $1.amount }
                guard got > 0 else { continue }
                for person in people where entry.moves.contains(where: { $0.address == person.address }) {
                    brought[person.address, default: 0] += got
                }
            }
            number = block.number
        }
        let minimum = asset == .btc ? Int128(10_000) : 10_000_000
        for (place, person) in people.enumerated() {
            let paid: Int128 = try await pool.query(
                """
                select coalesce(sum(amount + fee), 0) from defi.custody_withdrawals
                where user_id = \(person.user) and state = 'confirmed'
                """
            )[0][0]
            let came = brought[person.address] ?? 0
            #expect(came == 0 || came >= minimum)
            let has = try await held(by: person) + held(by: person, kind: CustodyBooks.receivable)
            #expect(has == (place == 2 ? 0 : came - paid), "seed \(seed)")
            #expect(try await available(by: person) == held(by: person), "reserved, seed \(seed)")
        }
        #expect(try await self.house(CustodyBooks.held) == brought[people[2].address] ?? 0, "held, seed \(seed)")
        let active: Int = try await pool.query("select count(*) from defi.reservations where state = 'active'")[0][0]
        #expect(active == 0, "reservations, seed \(seed)")
    }
}

import Kernel
import Ledger
import PostgreSQL
import Randomness
import Testing
import WalletCrypto

@testable import DeFi

/// Many deposits and withdrawals while the chain changes its mind and its node fails in every way.
@Suite(.serialized)
struct CustodyFlowTests {
    private static let steps = 120
    private static let stepsMax = 400
    private static let depthMax = 8

    @Test(.timeLimit(.minutes(10)), arguments: [2, Self.depthMax + 2])
    func `after random flows the books are the chain`(confirmations: Int) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await CustodyWorld.with(confirmations: confirmations) { world in
            var random = SeededRandom(seed)
            var people: [CustodyWorld.Person] = []
            for place in 1...3 { people.append(try await world.person(place)) }
            // Somebody whose wallet nobody has proven.
            let stranger = try await world.person(4, isLinked: false)
            try await world.dev.mine(Self.depthMax)
            try await world.follow()
            let every = Set(DevChain.Fault.allCases)
            for step in 0..<Self.stepsMax {
                // Until calls have met faults of every kind.
                let met = try await world.dev.met()
                if step >= Self.steps, met == every { break }
                try await world.act(people + [stranger], &random)
                try await world.disturb(depthMax: Self.depthMax, &random)
                try await world.advance()
            }
            #expect(try await world.dev.met() == every, "seed \(seed)")
            try await world.dev.heal()
            try await world.calm(people)
            try await world.expectBooksAreChain("seed \(seed)")
            try await world.compare(people, seed: seed)
        }
    }
}

extension CustodyWorld: CustodyTurmoil {
    func ask(_ method: String, _ path: String, by person: Person) async throws -> (status: Int, json: JSON) {
        try await ask(method, path, by: person, nil)
    }

    func mine() async throws { try await dev.mine() }

    func step() async throws -> Int { try await parts.follower.step() }

    private static let faultyMethods = [
        "eth_sendRawTransaction", "eth_signTransaction", "eth_getTransactionReceipt", "eth_getBlockByNumber",
        "eth_getLogs", "eth_getTransactionByHash", "eth_getTransactionCount", "eth_estimateGas", "*",
    ]

    /// Sends something in, asks for something out, or takes it back.
    fileprivate func act(_ people: [Person], _ random: inout SeededRandom) async throws {
        let person = people[Int.random(in: 0..<people.count, using: &random)]
        let asset = Bool.random(using: &random) ? Asset.usdc : .eth
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1, 2:
            try await patiently {
                try await send(String(Int.random(in: 1...20, using: &random)), asset, from: person)
                return 1
            }
        case 3, 4:
            let amount = String(Int.random(in: 5...15, using: &random))
            let answer = try await withdraw(amount, asset.code, by: person)
            #expect([202, 422].contains(answer.status), "\(answer.json)")
        default:
            guard let id = try await newest("withdrawals", of: person)["id"]?.stringValue else { return }
            let answer = try await ask("POST", "/v1/defi/custody/withdrawals/\(id)/cancel", by: person)
            #expect([200, 409].contains(answer.status), "\(answer.json)")
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
            let methods = Self.faultyMethods
            try await dev.fault(fault, on: methods[Int.random(in: 0..<methods.count, using: &random)])
        case 4: try await dev.mine(Int.random(in: 1...3, using: &random))
        case 5: try await makeDue()
        default: break
        }
    }

    /// What each has is what the chain shows, read block by block from the first one: what it brought, less what was
    /// paid out and its fees.
    fileprivate func compare(_ people: [Person], seed: UInt64) async throws {
        let head = try await dev.node.head()
        let token = try #require(chain.deployment.token(.usdc))
        var brought: [EthereumAddress: [Asset: Int128]] = [:]
        for number in 0...head {
            let block = try #require(try await dev.node.block(number))
            for entry in block.entries {
                let receipt = try #require(try await dev.node.receipt(entry.hash))
                guard receipt.succeeded, entry.sender != account else { continue }
                if entry.to == account {
                    brought[entry.sender, default: [:]][.eth, default: 0] += entry.value.int128 ?? 0
                }
                for log in receipt.logs where log.contract == token {
                    guard let transfer = log.transfer, transfer.to == account else { continue }
                    brought[entry.sender, default: [:]][.usdc, default: 0] += transfer.amount.int128 ?? 0
                }
            }
        }
        for person in people {
            for asset in [Asset.usdc, .eth] {
                let paid: Int128 = try await pool.query(
                    """
                    select coalesce(sum(amount + fee), 0) from defi.custody_withdrawals
                    where user_id = \(person.user) and asset = \(asset.code) and state = 'confirmed'
                    """
                )[0][0]
                let expected = (brought[person.address]?[asset] ?? 0) - paid
                let (held, owed) = (
                    try await held(asset, by: person), try await held(asset, by: person, kind: "receivable")
                )
                #expect(held + owed == expected, "\(asset.code), seed \(seed)")
                #expect(try await available(asset, by: person) == held, "\(asset.code) reserved, seed \(seed)")
            }
        }
        let kept = try await house("custody_held", .usdc)
        #expect(kept == brought[dev.address(4)]?[.usdc] ?? 0, "held, seed \(seed)")
        let active: Int = try await pool.query("select count(*) from defi.reservations where state = 'active'")[0][0]
        #expect(active == 0, "reservations, seed \(seed)")
    }
}

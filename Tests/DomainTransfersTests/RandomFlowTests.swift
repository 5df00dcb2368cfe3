import DomainKit
import DomainTransfers
import HTTP
import Kernel
import Ledger
import Messaging
import PostgreSQL
import Randomness
import Testing

/// Seeded flows of transfers among the three domains, with everything going wrong that can.
@Suite struct RandomFlowTests {
    struct Pocket: Hashable {
        let user: ID<User>
        let domain: Schema
        let asset: Asset
    }

    @Test(arguments: [UInt64(1), 2, 3, .random(in: 4 ... .max)])
    func `every customer ends with what the orders say, and no unit is lost or made`(seed: UInt64) async throws {
        var random = SeededRandom(seed)
        let users = (0..<6).map { _ in IDGenerator().next(User.self) }
        var draws: [UInt64] = []
        for _ in 0..<4_000 { draws.append(random.next()) }
        let fixed = draws
        try await World.with { world in
            var next = Draws(values: fixed)
            var pockets: [Pocket: Int128] = [:]
            for user in users {
                for domain in World.schemas {
                    for asset in [Asset.usd, .usdc, .btc] where World.assets[domain]?.contains(asset) == true {
                        let amount = Int128(next.below(50_000) + 1)
                        try await world.fund(user, Money(minorUnits: amount, asset), in: domain)
                        pockets[Pocket(user: user, domain: domain, asset: asset)] = amount
                    }
                }
            }
            let before = try await Self.totals(world)
            for _ in 0..<150 {
                switch next.below(10) {
                case 0..<5: try await Self.order(world, &next, users, &pockets)
                case 5..<7:
                    let mishap = Mishap.allCases[next.below(Mishap.allCases.count)]
                    if mishap != .handlerInside { world.trouble.plan(mishap) }
                case 7: _ = try await world.member(World.schemas[next.below(3)]).relay().drain()
                default: try await world.member(World.schemas[next.below(3)]).worker().drain()
                }
            }
            world.trouble.clear()
            try await world.settle()
            try await world.expectSettled()
            for (pocket, amount) in pockets {
                let found = try await world.balance(pocket.user, pocket.asset, in: pocket.domain)
                #expect(found == amount, "seed \(seed): \(pocket)")
            }
            #expect(try await Self.totals(world) == before, "seed \(seed)")
            #expect(!world.trouble.happened.isEmpty, "seed \(seed)")
        }
    }

    /// One order; the pockets are changed as it will end.
    private static func order(
        _ world: World,
        _ next: inout Draws,
        _ users: [ID<User>],
        _ pockets: inout [Pocket: Int128]
    ) async throws {
        let (from, to) = (World.schemas[next.below(3)], World.schemas[next.below(3)])
        guard from != to else { return }
        let (user, asset) = (users[next.below(users.count)], [Asset.usd, .usdc, .btc][next.below(3)])
        let amount = Int128(next.below(20_000) + 1)
        let response = try await world.send(user, Money(minorUnits: amount, asset), from: from, to: to)
        guard response.status == 202 else {
            #expect(response.status == 422)
            return
        }
        guard World.assets[to]?.contains(asset) == true else { return }
        pockets[Pocket(user: user, domain: from, asset: asset), default: 0] -= amount
        pockets[Pocket(user: user, domain: to, asset: asset), default: 0] += amount
    }

    /// What all customers have together, by asset.
    private static func totals(_ world: World) async throws -> [String: Int128] {
        var totals: [String: Int128] = [:]
        for schema in World.schemas {
            let rows = try await world.member(schema).runtime.pool.query(
                """
                select asset, sum(posted) as posted from \(schema).ledger_accounts where owner <> \(AccountKey.house)
                group by asset
                """
            )
            for row in rows {
                let asset: String = try row["asset"]
                totals[asset, default: 0] += try row["posted"] as Int128
            }
        }
        return totals
    }
}

/// Numbers drawn beforehand, so that the seed decides all of them.
struct Draws {
    let values: [UInt64]
    private var position = 0

    init(values: [UInt64]) { self.values = values }

    mutating func below(_ bound: Int) -> Int {
        defer { position = (position + 1) % values.count }
        return Int(values[position] % UInt64(bound))
    }
}

import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

extension Turmoil {
    /// What somebody has on the chain, in the smallest units.
    struct Holdings: Hashable, Sendable {
        var usdc: Int128 = 0
        var weth: Int128 = 0
        var wei: Int128 = 0
    }

    /// The chain is what its transactions and the books make of it, to the last unit: gas, payments, what is in
    /// strategies and what came out of them; nothing is between, nothing is there twice, and nothing is held for
    /// nothing.
    func compare() async throws {
        let note: Comment = "seed \(seed)"
        let end = try await world.holdings(of: people)
        let moved = try await transacted()
        for (place, person) in people.enumerated() {
            var expected = start[place]
            expected.usdc += moved[person.address]?.usdc ?? 0
            expected.wei += moved[person.address]?.wei ?? 0
            for id in strategies.filter({ $0.value.user == person.user }).keys {
                let strategy = try await world.strategy(id, of: person)
                let (asset, pair) = (
                    strategy.realized - strategy.principal, strategy.pairRealized - strategy.pairPrincipal
                )
                expected.usdc += strategy.asset == .usdc ? asset : 0
                expected.wei += strategy.asset == .eth ? asset : 0
                expected.weth += pair
                #expect(try await world.deployed(strategy, by: person) == strategy.principal, note)
                try await compare(strategy)
            }
            #expect(end[place] == expected, note)
            // What came and went by the events of blocks: each of them once.
            let totals = try await WalletTotals.of(person.wallet, in: .defi, world.pool).first { $0.asset == .usdc }
            let flow = (totals?.received ?? 0) - (totals?.sent ?? 0)
            #expect(flow == end[place].usdc - start[place].usdc, note)
            let wallet = WalletBooks.account(person.user, world.chain.name, .usdc).kind
            #expect(try await world.held(wallet, .usdc, by: person) == end[place].usdc, note)
            #expect(try await world.held(wallet, .eth, by: person) == end[place].wei, note)
            for asset in [Asset.usdc, .eth] {
                #expect(try await world.held("pending", asset, by: person) == 0, note)
            }
        }
        try await compareBooks()
    }

    /// What is in a strategy on the chain is at least what the books have of it: nothing here loses but a pair.
    private func compare(_ strategy: Strategy) async throws {
        let offer = try #require(world.chain.deployment.offer(strategy.offer))
        guard !offer.description.isPair else { return }
        let worth = try await StrategyCalls(chain: world.chain).worth(of: strategy, in: offer)
        let rounding = BigUInt(1_000)
        #expect(worth.amount + rounding >= BigUInt(strategy.principal), "\(strategy.offer), seed \(seed)")
    }

    /// What final transactions moved by themselves: payments among people, and gas.
    private func transacted() async throws -> [EthereumAddress: Holdings] {
        var moved: [EthereumAddress: Holdings] = [:]
        let rows = try await world.pool.query(
            "select \(Intent.columns) from defi.intents i where i.state in ('final', 'failed')"
        )
        var gas: Int128 = 0
        for intent in try rows.map(Intent.init) {
            let inclusion = try #require(intent.state.inclusion)
            gas += inclusion.gasCost
            moved[intent.address, default: Holdings()].wei -= inclusion.gasCost
            guard intent.kind == .transfer, inclusion.succeeded else { continue }
            let to = try #require(try KnownCall.recipient(of: intent.transaction))
            let isCoins = intent.amount.asset == .eth
            let amount = intent.amount.minorUnits
            moved[intent.address, default: Holdings()].add(-amount, isCoins: isCoins)
            moved[to, default: Holdings()].add(amount, isCoins: isCoins)
        }
        #expect(try await world.house("network_gas", .eth) == gas, "gas, seed \(seed)")
        return moved
    }

    private func compareBooks() async throws {
        let unbalanced: Int = try await world.pool.query(
            """
            select count(*) from (
                select asset from defi.ledger_accounts group by asset having sum(posted) <> 0) s
            """
        )[0][0]
        #expect(unbalanced == 0, "seed \(seed)")
        let useless: Int = try await world.pool.query(
            """
            select count(*) from defi.reservations r
            where r.state = 'active' and r.kind = 'strategy_exit' and not exists (
                select from defi.intents i where i.reservation = r.id and i.state = 'built')
            """
        )[0][0]
        #expect(useless == 0, "seed \(seed)")
        try await world.expectHolds("seed \(seed)")
        let twice: Int = try await world.pool.query(
            """
            select count(*) from (
                select address, nonce from defi.intents where state in ('final', 'failed')
                group by address, nonce having count(*) > 1) s
            """
        )[0][0]
        #expect(twice == 0, "seed \(seed)")
    }
}

extension Turmoil.Holdings {
    fileprivate mutating func add(_ amount: Int128, isCoins: Bool) {
        if isCoins { wei += amount } else { usdc += amount }
    }
}

extension ChainWorld {
    /// What people have.
    func holdings(of people: [Person]) async throws -> [Turmoil.Holdings] {
        let weth = try #require(chain.deployment.tokens.first { $0.symbol == "WETH" }?.contract)
        var all: [Turmoil.Holdings] = []
        for person in people {
            let answer = try await chain.nodes.first.views([.balance(of: person.address, in: weth)])
            var holdings = Turmoil.Holdings()
            holdings.usdc = try await tokens(.usdc, of: person.address)
            holdings.weth = Int128(clamping: BigUInt(bigEndian: try #require(answer[0])))
            holdings.wei = Int128(clamping: try await chain.nodes.first.balance(of: person.address))
            all.append(holdings)
        }
        return all
    }
}

import DomainKit
import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What blocks do to wallets that are followed.
@Suite(.serialized)
struct WalletWatchTests {
    private static let kind = "wallet:eip155:31337"
    private static let transfers = 25

    @Test func `what a wallet has is in the books, whoever sends to it`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.settle()
            func check() async throws {
                let wei = Int128(clamping: try await world.chain.nodes.first.balance(of: ada.address))
                #expect(try await world.held(Self.kind, .eth, by: ada) == wei)
                let tokens = try await world.tokens(.usdc, of: ada.address)
                #expect(try await world.held(Self.kind, .usdc, by: ada) == tokens)
            }
            try await check()
            let usdc = try #require(world.chain.deployment.token(.usdc))
            try await world.dev.send(
                "transfer(address,uint256)",
                [.address(ada.address), .uint(BigUInt(7_000_000))],
                to: usdc
            )
            try await world.dev.pay(ada.address, BigUInt.powerOfTen(18))
            try await world.follow()
            try await check()
            var totals = try await WalletTotals.of(ada.wallet, in: .defi, world.pool)
            #expect(totals.first { $0.asset == .usdc }?.received == 7_000_000)
            #expect(totals.first { $0.asset == .eth }?.received == 1_000_000_000_000_000_000)
            // What a reorganisation drops never came.
            try await world.dev.reorganise(depth: 2, keeping: false)
            try await world.follow()
            try await check()
            totals = try await WalletTotals.of(ada.wallet, in: .defi, world.pool)
            #expect(totals.allSatisfy { $0.received == 0 && $0.sent == 0 })
        }
    }

    @Test func `wallets beyond what a block has room for are read in the next ones`() async throws {
        try await ChainWorld.with { world in
            var people: [ChainWorld.Person] = []
            for place in 1...3 { people.append(try await world.person(place)) }
            try await world.settle()
            try await world.dev.setAutomine(false)
            for person in people { try await world.dev.pay(person.address, .one) }
            try await world.dev.mine(3)
            // Room for one of them in each block.
            let books = WalletBooks(world.runtime, ids: world.ids, chain: world.chain.name, readMax: 1)
            let watch = WalletWatch(chain: world.chain, books: books)
            let tip = try #require(try await world.parts.follower.blocks.tip()).number
            for number in tip + 1...tip + 3 {
                let block = try #require(try await world.chain.nodes.block(number))
                _ = try await world.runtime.ledger.submit(
                    batch: try await watch.effects(of: block, BlockEvents()).items
                )
            }
            for person in people {
                let wei = Int128(clamping: try await world.chain.nodes.first.balance(of: person.address))
                #expect(try await world.held(Self.kind, .eth, by: person) == wei)
            }
        }
    }

    @Test func `a wallet of which the node doesn't say all is read again`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.settle()
            try await world.dev.pay(ada.address, .one)
            try await world.dev.fault(.error, on: "eth_getBalance")
            try await world.follow()
            // The block is followed, without it.
            let wei = Int128(clamping: try await world.chain.nodes.first.balance(of: ada.address))
            #expect(try await world.held(Self.kind, .eth, by: ada) == wei - 1)
            try await world.settle()
            #expect(try await world.held(Self.kind, .eth, by: ada) == wei)
        }
    }

    @Test func `what the database refuses of a wallet holds up neither the block nor another wallet`() async throws {
        try await ChainWorld.with { world in
            let (ada, eve) = (try await world.person(1), try await world.person(2))
            try await world.settle()
            _ = try await world.owner.query(
                """
                alter table defi.wallet_totals add constraint refused_by_test check (received <> 123456) not valid
                """
            )
            try await world.dev.setAutomine(false)
            try await world.dev.pay(ada.address, BigUInt(200_000))
            try await world.dev.pay(eve.address, BigUInt(123_456))
            try await world.settle()
            #expect(try await world.parts.follower.blocks.tip()?.number == world.chain.nodes.head())
            let totals = try await WalletTotals.of(ada.wallet, in: .defi, world.pool)
            #expect(totals.first { $0.asset == .eth }?.received == 200_000)
            #expect(try await WalletTotals.of(eve.wallet, in: .defi, world.pool).isEmpty)
            // What they have is read with the next block.
            try await world.settle()
            for person in [ada, eve] {
                let wei = Int128(clamping: try await world.chain.nodes.first.balance(of: person.address))
                #expect(try await world.held(Self.kind, .eth, by: person) == wei)
            }
        }
    }

    @Test func `coins count although the node has their receipt later than their block`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.settle()
            try await world.dev.pay(ada.address, BigUInt(5))
            try await world.dev.fault(.error, on: "eth_getTransactionReceipt")
            _ = try? await world.parts.follower.step()
            try await world.follow()
            let totals = try await WalletTotals.of(ada.wallet, in: .defi, world.pool)
            #expect(totals.first { $0.asset == .eth }?.received == 5)
        }
    }

    @Test func `a wallet that is revoked is nobody's balance any more`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.settle()
            #expect(try await world.held(Self.kind, .usdc, by: ada) > 0)
            _ = try await world.pool.query(
                """
                update defi.wallets set status = 'revoked', revoked_at = now(), revoked_because = 'test'
                where id = \(ada.wallet)
                """
            )
            _ = try await world.pool.query("update defi.wallet_reads set is_due = true where wallet = \(ada.wallet)")
            try await world.settle()
            #expect(try await world.held(Self.kind, .usdc, by: ada) == 0)
            #expect(try await world.held(Self.kind, .eth, by: ada) == 0)
        }
    }

    @Test func `another wallet in place of one that is revoked is what the customer has`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.settle()
            _ = try await world.pool.query(
                """
                update defi.wallets set status = 'revoked', revoked_at = now(), revoked_because = 'test'
                where id = \(ada.wallet)
                """
            )
            _ = try await world.pool.query("update defi.wallet_reads set is_due = true where wallet = \(ada.wallet)")
            let other = try await world.person(2, of: ada.user)
            try await world.dev.pay(other.address, BigUInt.powerOfTen(18))
            try await world.settle()
            let wei = Int128(clamping: try await world.chain.nodes.first.balance(of: other.address))
            #expect(try await world.held(Self.kind, .eth, by: other) == wei)
            let tokens = try await world.tokens(.usdc, of: other.address)
            #expect(try await world.held(Self.kind, .usdc, by: other) == tokens)
        }
    }

    @Test func `fifty thousand wallets cost one range of events and one block, and positions are there with it`()
        async throws
    {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.aave, by: ada)
            try await world.follow(strangers: 50_000)
            try await world.dev.setAutomine(false)
            // A block of many transfers, half of them to wallets that are followed.
            let usdc = try #require(world.chain.deployment.token(.usdc))
            for place in 0..<Self.transfers {
                let to = ABIValue.address(ChainWorld.stranger(place * 331))
                try await world.dev.send(
                    "transfer(address,uint256)",
                    [to, .uint(BigUInt(1_000))],
                    to: usdc,
                    gas: 80_000
                )
                try await world.dev.pay(ChainWorld.stranger(60_000 + place), .one)
            }
            try await world.stop(strategy.id, ["amount": "1"], by: ada)
            let before = try await world.dev.stats()
            try await world.dev.mine()
            let took = try await ContinuousClock().measure { try await world.parts.follower.step() }
            let after = try await world.dev.stats()
            #expect(after["eth_getLogs", default: 0] - before["eth_getLogs", default: 0] == 1)
            // The tip that is known, and the new one.
            #expect(after["eth_getBlockByNumber", default: 0] - before["eth_getBlockByNumber", default: 0] == 2)
            let valued = try #require(try await world.strategy(strategy.id, of: ada).value)
            let tip = try await world.parts.follower.blocks.tip()
            #expect(valued.block == tip)
            print("50,000 wallets, a block of \(2 * Self.transfers + 1) transactions: \(took)")
            let totals = try await world.pool.query("select count(*) from defi.wallet_totals where received = 1000")
            #expect(try totals[0][0] == Self.transfers)
        }
    }
}

extension ChainWorld {
    /// An address that nobody has the key of.
    static func stranger(_ place: Int) -> EthereumAddress {
        let bytes = [UInt8](repeating: 0xAB, count: 12) + (BigUInt(place + 1).bytes(count: 8) ?? [])
        guard let address = EthereumAddress(bytes: bytes) else { preconditionFailure("20 bytes") }
        return address
    }

    /// Follows so many wallets more, watched by one user.
    fileprivate func follow(strangers count: Int) async throws {
        let user: ID<User> = ids.next()
        for start in stride(from: 0, to: count, by: 5_000) {
            let addresses = (start..<start + 5_000).map { Self.stranger($0).description }
            let wallets = addresses.map { _ in ids.next(Wallet.self) }
            _ = try await pool.query(
                """
                insert into defi.wallets (id, user_id, chain, network, account, address, type, label, created_at,
                    updated_at)
                select n.id, \(user), 'ethereum', 'local', \(chain.name) || ':' || n.address, n.address, 'hot', 'Test',
                    now(), now()
                from unnest(\(wallets), \(addresses)) as n(id, address)
                """
            )
        }
    }
}

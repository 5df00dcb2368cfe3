import DomainKit
import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// Whole accounts on Bitcoin, of which only the extended public key is known: that of BIP-84's test vectors, as it is
/// written for networks of tests.
@Suite(.serialized)
struct BitcoinAccountTests {
    private static let key = """
        vpub5YvMuJNjRSYon44z9QmCfdf8SqJRVNvz6m55Qy5iVjZQxDfUgtiQjnc7CC1fAbED2tAGCZRERUfvtn2DstZGU6HMns6dXXH2wujSc2wfi2x
        """

    @Test func `what comes to any address of a whole account counts, as far as the gap limit says`() async throws {
        try await BitcoinWorld.with { world in
            let account = try await world.account(Self.key, gapLimit: 3)
            let (receiving, change) = (try account.addresses(.receiving), try account.addresses(.change))
            for (address, satoshi, received) in [
                (receiving[2], 100_000, 100_000), (receiving[5], 50_000, 150_000), (receiving[9], 70_000, 150_000),
                (change[1], 20_000, 170_000), (change[6], 70_000, 170_000),
            ] as [(String, Int, Int128)] {
                try await world.fund(address, satoshi)
                try await world.mine()
                try await world.follow()
                #expect(try await world.total(of: account.wallet) == WalletFlow(received: received))
            }
            // What a reorganisation drops never came.
            try await world.fund(change[2], 5_000)
            try await world.mine()
            try await world.follow()
            #expect(try await world.total(of: account.wallet).received == 175_000)
            try await world.reorganise(depth: 1, keeping: false)
            try await world.follow()
            #expect(try await world.total(of: account.wallet).received == 170_000)
            _ = try await world.pool.query(
                """
                update defi.wallets set status = 'revoked', revoked_at = now(), revoked_because = 'test'
                where id = \(account.wallet)
                """
            )
            try await world.fund(receiving[0], 30_000)
            try await world.mine()
            try await world.follow()
            #expect(try await world.total(of: account.wallet).received == 170_000)
        }
    }

    @Test func `change that an account pays itself neither came nor went`() async throws {
        try await BitcoinWorld.with { world in
            let account = try await world.account(Self.key, gapLimit: 20)
            let (receiving, change) = (try account.addresses(.receiving), try account.addresses(.change))
            func move(_ address: String, _ amount: Int128) -> PaymentBlock.Move {
                PaymentBlock.Move(address: address, asset: .btc, amount: amount)
            }
            let entries: [[PaymentBlock.Move]] = [
                [move(receiving[0], -100_000), move(change[0], 39_500), move(BitcoinWorld.miner, 60_000)],
                [move(receiving[1], 7_000), move(BitcoinWorld.miner, -7_500)],
                [move(receiving[2], -8_000), move(receiving[3], 8_000)],
            ]
            let block = PaymentBlock(
                reference: BlockReference(number: 9_999, hash: [UInt8](repeating: 7, count: 32)),
                parentHash: [UInt8](repeating: 6, count: 32),
                timestamp: Timestamp(seconds: 0),
                entries: entries.enumerated().map { place, moves in
                    let id = [UInt8](repeating: UInt8(place), count: 32)
                    return PaymentBlock.Entry(id: id, succeeded: true, fee: 500, moves: moves)
                }
            )
            let effects = try await world.parts.follower.wallets.effects(of: block)
            _ = try await world.runtime.ledger.submit(batch: effects.items)
            #expect(try await world.total(of: account.wallet) == WalletFlow(received: 7_000, sent: 60_500))
        }
    }

    @Test func `a key that can't be read holds up only itself`() async throws {
        try await BitcoinWorld.with { world in
            let account = try await world.account(Self.key, gapLimit: 5)
            let other = try await world.account(Self.key, gapLimit: 5)
            _ = try await world.pool.query(
                "update defi.wallets set extended_key = 'none' where id = \(account.wallet)"
            )
            try await world.mine()
            try await world.follow()
            try await world.fund(try account.addresses(.receiving)[1], 9_000)
            try await world.mine()
            try await world.follow()
            #expect(try await world.total(of: account.wallet).received == 0)
            #expect(try await world.total(of: other.wallet).received == 9_000)
        }
    }
}

/// A whole account that somebody watches.
private struct WatchedAccount: Sendable {
    let wallet: ID<Wallet>
    let account: WatchOnlyAccount

    func addresses(_ branch: WatchOnlyAccount.Branch) throws -> [String] {
        try account.addresses(branch, 0..<10).map(\.description)
    }
}

extension BitcoinWorld {
    /// Has somebody watch a whole account.
    fileprivate func account(_ key: String, gapLimit: Int) async throws -> WatchedAccount {
        let new = try NewWallet(extendedKey: key, script: nil, network: .local, gapLimit: gapLimit, label: "Vault")
        let book = AddressBook(
            runtime: runtime,
            ids: ids,
            wallets: Wallets(schema: .defi, pool: pool),
            screening: screening
        )
        let links = WalletLinks(runtime: runtime, ids: ids, screening: screening, book: book)
        let wallet = try await links.add(new, for: ids.next(), by: Initiator(system: "test", correlation: 1))
        let derivation = try #require(wallet.derivation)
        return WatchedAccount(wallet: wallet.id, account: try derivation.watching(on: wallet.network))
    }

    fileprivate func total(of wallet: ID<Wallet>) async throws -> WalletFlow {
        let totals = try await WalletTotals.of(wallet, in: .defi, pool)
        return totals.first.map { WalletFlow(received: $0.received, sent: $0.sent) } ?? WalletFlow()
    }
}

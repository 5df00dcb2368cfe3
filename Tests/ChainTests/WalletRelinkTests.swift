import DomainKit
import Kernel
import Ledger
import PostgreSQL
import Randomness
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// Wallets that are revoked and linked anew before the chain is read again.
@Suite(.serialized)
struct WalletRelinkTests {
    @Test func `a wallet that is linked anew between two readings has its coins, and pays with them`() async throws {
        try await BitcoinWorld.with(confirmations: 2) { world in
            let ada = try await world.person(.p2wpkh, [500_000, 300_000])
            let again = try await world.relinked(ada)
            try await world.follow()
            #expect(try await world.held(by: again) == 800_000)
            try await world.expectBooks(of: [again])
            let payment = try await world.submit(try await world.pay("0.002", to: ada.address, by: again), by: again)
            try await world.mine()
            try await world.finalise()
            #expect(try await world.now(payment).state.name == "final")
            try await world.expectBooks(of: [again])
        }
    }

    @Test func `another wallet in its place is what the customer has, and nothing of the old one`() async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh, [500_000])
            let keys = try await world.stranger(with: 700_000)
            let other = try await world.relinked(ada, keys)
            try await world.follow()
            #expect(try await world.held(by: other) == 700_000)
            // Nobody follows the old address any more.
            try await world.fund(ada.address, 70_000)
            try await world.mine()
            try await world.follow()
            #expect(try await world.held(by: other) == 700_000)
            let left = try await world.pool.query("select count(*) from defi.coins where address = \(ada.address)")
            #expect(try left[0][0] == 0)
        }
    }

    @Test func `an account that somebody else proves is theirs, with its coins`() async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh, [500_000])
            let eve = BitcoinWorld.Person(
                user: world.ids.next(),
                wallet: world.ids.next(),
                address: ada.address,
                signer: ada.signer,
                form: ada.form
            )
            _ = try await world.pool.query(
                """
                update defi.wallets set status = 'revoked', revoked_at = now(), revoked_because = 'test'
                where id = \(ada.wallet)
                """
            )
            _ = try await world.pool.query("update defi.wallet_reads set is_due = true where wallet = \(ada.wallet)")
            try await world.link(eve)
            try await world.know(eve.address, by: eve)
            try await world.follow()
            #expect(try await world.held(by: ada) == 0)
            #expect(try await world.held(by: eve) == 500_000)
            _ = try await world.pay("0.002", to: eve.address, by: eve)
        }
    }

    @Test(arguments: [true, false])
    func `a wallet that is revoked while it is read is nobody's in the end`(isNew: Bool) async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh, [500_000])
            let (follower, chain) = (world.parts.follower, world.chain.name)
            if isNew {
                _ = try await world.pool.query("delete from defi.wallet_reads")
                _ = try await world.pool.query("update defi.wallets set is_read = false")
            }
            _ = try await world.pool.query("update defi.wallet_reads set is_due = true")
            let tip = try #require(try await follower.blocks.tip())
            let due = try await follower.wallets.books.due([])
            let read = try await follower.wallets.items(of: due, at: tip)
            _ = try await world.pool.query(
                """
                update defi.wallets set status = 'revoked', revoked_at = now(), revoked_because = 'test'
                where id = \(ada.wallet)
                """
            )
            _ = try await world.pool.query("update defi.wallet_reads set is_due = true where wallet = \(ada.wallet)")
            _ = try await world.runtime.ledger.submit(batch: read)
            try await world.follow()
            #expect(try await world.held(by: ada) == 0)
            let left = try await world.pool.query("select count(*) from defi.coins where chain = \(chain)")
            #expect(try left[0][0] == 0)
        }
    }
}

extension BitcoinWorld {
    /// Keys of a wallet that nobody has linked, with one coin in a block.
    fileprivate func stranger(with satoshi: Int) async throws -> Person {
        var random = SeededRandom(99)
        let signer = try Signer(&random)
        let address = try #require(BitcoinAddress(.p2wpkh, key: signer.key, network: .regtest)).description
        try await fund(address, satoshi)
        try await mine()
        try await follow()
        return Person(user: ids.next(), wallet: ids.next(), address: address, signer: signer, form: .p2wpkh)
    }
}

@testable import DeFi
import Kernel
import PostgreSQL
import Testing
import WalletSigners

/// What requests about wallets and addresses get that can't be met.
@Suite struct RefusalTests {
    private let ada = ID<User>(1)

    @Test func `only Ethereum has wallets that are contracts`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("solana")
            let refused = try await world.send(
                "POST",
                "/v1/defi/wallets",
                ["account": .string(wallet.account), "label": "Mine", "type": "contract"],
                by: ada
            )
            #expect(refused.status == 422 && refused.code == "type_not_possible")
        }
    }

    @Test func `a wallet is proven once`() async throws {
        try await WalletWorld.with { world in
            let id = try await world.link(try TestWallet.make("ethereum"), for: ada)
            let again = try await world.challenge(id, for: ada)
            #expect(again.status == 409 && again.code == "wallet_verified")
        }
    }

    @Test func `wallets and addresses of a user are so many at most`() async throws {
        try await WalletWorld.with { world in
            _ = try await world.add(try TestWallet.make("ethereum"), for: ada)
            _ = try await world.pool.query(
                """
                insert into defi.wallets (id, user_id, chain, network, account, address, type, label, created_at,
                    updated_at)
                select gen_random_uuid(), user_id, chain, network, account || n, address || n, type, label, created_at,
                    updated_at
                from defi.wallets, generate_series(2, \(Wallets.liveMax)) n
                """
            )
            let account = try TestWallet.make("solana").account
            let wallet = try await world.send(
                "POST",
                "/v1/defi/wallets",
                ["account": .string(account), "label": "Mine", "type": "hot"],
                by: ada
            )
            #expect(wallet.status == 422 && wallet.code == "too_many_wallets")
            func keep(_ account: String) async throws -> Answer {
                try await world.send(
                    "POST",
                    "/v1/defi/address-book",
                    ["account": .string(account), "label": "Somebody"],
                    by: ada
                )
            }
            #expect(try await keep(account).status == 201)
            _ = try await world.pool.query(
                """
                insert into defi.address_book (id, user_id, chain, network, account, address, label, opens_at,
                    screening, resembles, created_at, updated_at)
                select gen_random_uuid(), user_id, chain, network, account || n, address || n, label, opens_at,
                    screening, resembles, created_at, updated_at
                from defi.address_book, generate_series(2, \(AddressBook.entriesMax)) n
                """
            )
            let entry = try await keep(try TestWallet.make("ethereum").account)
            #expect(entry.status == 422 && entry.code == "too_many_addresses")
        }
    }
}

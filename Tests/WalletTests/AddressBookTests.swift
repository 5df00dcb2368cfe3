import Compliance
@testable import DeFi
import Kernel
import PostgreSQL
import Randomness
import Testing
import WalletCrypto
import WalletSigners

@Suite struct AddressBookTests {
    private let ada = ID<User>(1)
    private let bob = ID<User>(2)

    private func add(
        _ account: String,
        to world: WalletWorld,
        label: String = "Rent",
        isDistinct: Bool = false
    ) async throws -> Answer {
        try await world.send(
            "POST",
            "/v1/defi/address-book",
            ["account": .string(account), "label": .string(label), "is_distinct": .bool(isDistinct)],
            by: ada
        )
    }

    private func payable(_ account: String, in world: WalletWorld) async throws -> String {
        do {
            let account = try #require(AccountID(account))
            return try await world.parts.book.requirePayable(account, for: ada).label
        } catch let problem as Problem {
            return problem.code
        }
    }

    @Test func `nothing is paid to a new address for a day`() async throws {
        try await WalletWorld.with { world in
            let account = try TestWallet.make("ethereum").account
            #expect(try await payable(account, in: world) == "address_not_in_book")
            let entry = try await add(account, to: world)
            #expect(entry.text("status") == "locked")
            let (opens, created) = (
                try #require(Timestamp(entry.text("opens_at"))), try #require(Timestamp(entry.text("created_at")))
            )
            #expect(opens == created.adding(seconds: 86_400))
            #expect(try await payable(account, in: world) == "address_locked")
        }
    }

    @Test func `who keeps an address is found in any case, in wallets and address books, page by page`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("ethereum")
            let account = wallet.account
            _ = try await world.add(wallet, for: bob)
            let entry = try await add(account, to: world)
            let keeper = WalletKeeper(schema: .defi, pool: world.pool)
            let address = String(account.split(separator: ":")[2])
            for spelling in [address, address.lowercased(), address.uppercased()] {
                let first = try await keeper.keepers(of: spelling, after: ID(0), limit: 1)
                #expect(first == [KeptAddress(user: ada, account: account, use: .payout)])
                let second = try await keeper.keepers(of: spelling, after: ada, limit: 1)
                #expect(second.first == KeptAddress(user: bob, account: account, use: .wallet))
                #expect(try await keeper.keepers(of: spelling, after: bob, limit: 1).isEmpty)
            }
            _ = try await world.send("DELETE", "/v1/defi/address-book/\(entry.text("id"))", by: ada)
            #expect(try await keeper.keepers(of: address, after: ID(0), limit: 9).allSatisfy { $0.user == bob })
        }
    }

    @Test func `an address is paid to once its lock is over`() async throws {
        try await WalletWorld.with(lockSeconds: 0) { world in
            let account = try TestWallet.make("solana").account
            #expect(try await add(account, to: world).text("status") == "open")
            #expect(try await payable(account, in: world) == "Rent")
            world.screening.say(.review, of: account)
            #expect(try await payable(account, in: world) == "address_in_review")
            world.screening.say(.block, of: account)
            #expect(try await payable(account, in: world) == "address_blocked")
        }
    }

    @Test func `a wallet that was just linked is locked as well`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("ethereum")
            let id = try await world.link(wallet, for: ada)
            #expect(try await payable(wallet.account, in: world) == "address_locked")
            let list = try await world.send("GET", "/v1/defi/address-book", by: ada)
            #expect(list.json["data"]?.elements?.first?["wallet"]?.stringValue == id)
        }
    }

    @Test func `linking an address that is in the book keeps its lock as it was`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("sui")
            let entry = try await add(wallet.account, to: world)
            let id = try await world.link(wallet, for: ada)
            let path = "/v1/defi/address-book/\(entry.text("id"))"
            let changed = try await world.send("GET", path, by: ada)
            #expect(changed.text("opens_at") == entry.text("opens_at"))
            #expect(changed.text("wallet") == id)
        }
    }

    @Test func `an address that was removed is locked anew`() async throws {
        try await WalletWorld.with { world in
            let account = try TestWallet.make("bitcoin").account
            let entry = try await add(account, to: world)
            #expect(try await add(account, to: world).code == "address_exists")
            let path = "/v1/defi/address-book/\(entry.text("id"))"
            #expect(try await world.send("DELETE", path, by: bob).status == 404)
            #expect(try await world.send("DELETE", path, by: ada).status == 204)
            #expect(try await world.send("DELETE", path, by: ada).status == 204)
            #expect(try await world.send("GET", path, by: ada).text("status") == "removed")
            let again = try await add(account, to: world)
            #expect(again.status == 201)
            #expect(again.text("opens_at") > entry.text("opens_at"))
            let types = try await world.texts(
                "select type from defi.outbox_events where aggregate_type = 'address' order by id"
            )
            #expect(types == ["defi.address.added", "defi.address.removed", "defi.address.added"])
        }
    }

    @Test func `nobody shortens a lock, not even by SQL`() async throws {
        try await WalletWorld.with { world in
            _ = try await add(try TestWallet.make("ethereum").account, to: world)
            for statement: SQL in [
                "update defi.address_book set opens_at = opens_at - interval '1 second'",
                "update defi.address_book set account = 'eip155:1:0x0', address = '0x0'",
                "update defi.address_book set opens_at = created_at - interval '1 second'",
            ] {
                await #expect(throws: PostgresError.self) { try await world.pool.query(statement) }
            }
        }
    }

    @Test func `an address that is made to look like one of ours is refused until its user insists`() async throws {
        try await WalletWorld.with { world in
            let known = "eip155:1:" + checksummed("0xd8da6bf26964af9d7eed9e03e53415d37aa96045")
            let poison = "eip155:1:" + checksummed("0xd8da111111111111111111111111111111196045")
            let entry = try await add(known, to: world)
            let refused = try await add(poison, to: world)
            #expect(refused.code == "address_look_alike")
            #expect(refused.faults == ["/account look_alike"])
            #expect(refused.text("detail").contains("Rent"))
            let insisted = try await add(poison, to: world, isDistinct: true)
            #expect(insisted.json["resembles"] == [.string(entry.text("id"))])
            // Somebody else's addresses don't matter.
            let theirs: JSON = ["account": .string(poison), "label": "Other"]
            #expect(try await world.send("POST", "/v1/defi/address-book", theirs, by: bob).status == 201)
        }
    }

    @Test func `an address that looks like one's own wallet is refused`() async throws {
        try await WalletWorld.with { world in
            let own: JSON = [
                "account": .string(account("0xd8da6bf26964af9d7eed9e03e53415d37aa96045")), "label": "Mine",
            ]
            let added = try await world.send("POST", "/v1/defi/wallets", own, by: ada)
            #expect(added.status == 201)
            let poison = account("0xd8da6b000000000000000000000000000000a045")
            #expect(try await add(poison, to: world).code == "address_look_alike")
        }
    }

    private func checksummed(_ text: String) -> String { EthereumAddress(text)?.description ?? "" }
    private func account(_ text: String) -> String { "eip155:1:" + checksummed(text) }

    @Test(arguments: [
        ("d8da6", "45", true), ("d8da", "45", false), ("d8da6bf", "", true), ("d8da6b", "", false),
        ("", "aa96045", true), ("", "a96045", false), ("d8da6bf26964af9d7eed", "9e03e53415d37aa96045", false),
    ])
    func `seven characters in common at both ends are a resemblance`(
        _ front: String,
        _ back: String,
        _ isAlike: Bool
    ) throws {
        let middle = String(repeating: "e", count: 40 - front.count - back.count)
        let one = try #require(AccountID(account("0xd8da6bf26964af9d7eed9e03e53415d37aa96045")))
        let other = try #require(AccountID(account("0x" + front + middle + back)))
        #expect(LookAlikes.resemble(one, other) == isAlike)
        #expect(LookAlikes.resemble(other, one) == isAlike)
    }

    @Test func `the prefix of a network is nothing that addresses have in common`() throws {
        let reference = "bip122:000000000019d6689c085ae165831e93"
        let one = try #require(AccountID("\(reference):bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"))
        let other = try #require(AccountID("\(reference):bc1qw5rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr8f3t4"))
        let far = try #require(AccountID("\(reference):bc1qrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr8f3t4"))
        #expect(LookAlikes.resemble(one, other))
        #expect(!LookAlikes.resemble(one, far))
        let elsewhere = try #require(AccountID("sui:mainnet:0xw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"))
        #expect(!LookAlikes.resemble(one, elsewhere))
    }

    @Test func `chance makes no look-alikes among a customer's addresses`() throws {
        var random = SeededRandom(7)
        for chain in TestWallet.chains {
            let accounts = try (0..<200).map { _ in try #require(AccountID(try TestWallet.make(chain, &random).account))
            }
            for (place, account) in accounts.enumerated() {
                #expect(!accounts[..<place].contains { LookAlikes.resemble(account, $0) })
            }
        }
    }
}

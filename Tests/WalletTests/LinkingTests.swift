import Compliance
@testable import DeFi
import HTTP
import Kernel
import PostgreSQL
import Testing
import WalletCrypto
import WalletSigners

@Suite struct LinkingTests {
    private let ada = ID<User>(1)
    private let bob = ID<User>(2)

    @Test(arguments: TestWallet.chains) func `a wallet is linked by its signature`(_ chain: String) async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make(chain)
            let id = try await world.add(wallet, for: ada)
            let challenge = try await world.challenge(id, for: ada)
            #expect(challenge.status == 201)
            #expect(challenge.text("message").hasPrefix("api.example.com wants you to sign in with your"))
            #expect(challenge.text("message").contains("urn:diboas:user:\(ada.wire)"))
            let signature = try wallet.sign(challenge.text("message"))
            let verified = try await world.verify(id, challenge.text("id"), signature, for: ada)
            #expect(verified.status == 200)
            #expect(verified.text("status") == "verified")
            #expect(verified.json["is_primary"] == true)
            #expect(verified.json["version"] == .integer(2))
            let kept: String? = try await world.value("select signature from defi.wallet_challenges")
            #expect(kept == signature)
            let actions = try await world.texts("select action from defi.audit_log order by batch, place")
            #expect(actions == ["wallet.added", "wallet.verified", "address.added"])
            let events = try await world.texts("select type || ' ' || version from defi.outbox_events order by id")
            #expect(events == ["defi.wallet.added 1", "defi.wallet.verified 2", "defi.address.added 1"])
        }
    }

    @Test func `a wallet of a test network is linked by its own proof, beside that of the main network`() async throws {
        try await WalletWorld.with { world in
            for chain in TestWallet.chains {
                let main = try TestWallet.make(chain)
                _ = try await world.link(main, for: ada)
                for network in ChainNetwork.all where network.chain.rawValue == chain && network.kind != .mainnet {
                    let wallet = try main.on(network.id.description, network.bitcoin)
                    let id = try await world.link(wallet, for: ada)
                    let shown = try await world.send("GET", "/v1/defi/wallets/\(id)", by: ada)
                    #expect(shown.text("status") == "verified" && shown.json["is_primary"] == true, "\(shown.json)")
                    #expect(shown.text("account") == wallet.account, "\(shown.json)")
                }
            }
        }
    }

    @Test func `who has a second factor proves it before a wallet is linked, and no key of a program links one`()
        async throws
    {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("ethereum")
            let id = try await world.add(wallet, for: ada)
            let challenge = try await world.challenge(id, for: ada)
            let signature = try wallet.sign(challenge.text("message"))
            let proof: JSON = ["challenge": .string(challenge.text("id")), "signature": .string(signature)]
            for (token, code) in [("\(ada.wire).due", "step_up_required"), ("\(ada.wire).key", "forbidden")] {
                let refused = try await world.send("POST", "/v1/defi/wallets/\(id)/verify", proof, token: token)
                #expect(refused.status == 403 && refused.code == code)
            }
            // The challenge wasn't used up by it.
            let verified = try await world.verify(id, challenge.text("id"), signature, for: ada)
            #expect(verified.text("status") == "verified")
        }
    }

    @Test func `Ethereum's wallets may sign structured data`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("ethereum", reference: "31337")
            let id = try await world.add(wallet, for: ada)
            let challenge = try await world.challenge(id, for: ada, form: "typed_data")
            let signature = try wallet.sign(typedData: challenge.text("message"))
            let verified = try await world.verify(id, challenge.text("id"), signature, for: ada)
            #expect(verified.text("status") == "verified")
            #expect(verified.text("network") == "local")

            let other = try await world.add(try TestWallet.make("solana"), for: ada)
            #expect(try await world.challenge(other, for: ada, form: "typed_data").code == "form_not_possible")
        }
    }

    @Test func `anybody may watch an account, one user owns it`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("ethereum")
            let mine = try await world.add(wallet, for: ada)
            let theirs = try await world.add(wallet, for: bob)
            let late = try await world.challenge(theirs, for: bob)
            let first = try await world.challenge(mine, for: ada)
            let signature = try wallet.sign(first.text("message"))
            #expect(try await world.verify(mine, first.text("id"), signature, for: ada).status == 200)

            #expect(try await world.challenge(theirs, for: bob).code == "wallet_claimed")
            let claim = try await world.verify(
                theirs,
                late.text("id"),
                try wallet.sign(late.text("message")),
                for: bob
            )
            #expect(claim.code == "wallet_claimed")
            #expect(try await world.send("GET", "/v1/defi/wallets/\(theirs)", by: bob).text("status") == "watch_only")
            let again: JSON = ["account": .string(wallet.account), "label": "Twice"]
            #expect(try await world.send("POST", "/v1/defi/wallets", again, by: ada).code == "wallet_exists")
        }
    }

    @Test func `one wallet of a chain is the primary one until it is revoked`() async throws {
        try await WalletWorld.with { world in
            let (old, new) = (try TestWallet.make("sui"), try TestWallet.make("sui"))
            let first = try await world.link(old, for: ada)
            let second = try await world.add(new, for: ada)
            #expect(try await world.challenge(second, for: ada).code == "primary_exists")
            let revoked = try await world.send("POST", "/v1/defi/wallets/\(first)/revoke", by: ada)
            #expect(revoked.text("status") == "revoked")
            #expect(revoked.json["is_primary"] == false)
            #expect(try await world.send("POST", "/v1/defi/wallets/\(first)/revoke", by: ada).code == "wallet_revoked")
            let book = try await world.send("GET", "/v1/defi/address-book", by: ada)
            #expect(book.json["data"]?.elements?.isEmpty == true)

            let challenge = try await world.challenge(second, for: ada)
            let signature = try new.sign(challenge.text("message"))
            #expect(try await world.verify(second, challenge.text("id"), signature, for: ada).status == 200)
            // The account of a revoked wallet may be linked anew.
            _ = try await world.add(old, for: ada)
        }
    }

    @Test func `the four wallets of a user are found by account, chain and network`() async throws {
        try await WalletWorld.with { world in
            for chain in TestWallet.chains { _ = try await world.link(try TestWallet.make(chain), for: ada) }
            let local = try TestWallet.make("ethereum", reference: "31337")
            let id = try await world.link(local, for: ada)
            let list = try await world.send("GET", "/v1/defi/wallets", by: ada)
            #expect(list.json["data"]?.elements?.count == 5)
            let wallets = world.parts.wallets
            let found = try await wallets.list(of: ada)
            for wallet in found {
                #expect(try await wallets.primary(of: ada, on: wallet.network)?.id == wallet.id)
                #expect(try await wallets.verified(wallet.account, of: ada)?.id == wallet.id)
                #expect(try await wallets.verified(wallet.account, of: bob) == nil)
                #expect(try await wallets.owner(of: wallet.account)?.user == ada)
                #expect(try await wallets.followed(on: wallet.network, limit: 10).map(\.id) == [wallet.id])
            }
            let wallet = try #require(ID<Wallet>(wire: id))
            #expect(try await wallets.verified(wallet, of: ada).account.description == local.account)
            await #expect(throws: Problem.notFound) { try await wallets.verified(wallet, of: bob) }
        }
    }

    @Test func `an address in another spelling is the same account`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("ethereum")
            let added = try await world.send(
                "POST",
                "/v1/defi/wallets",
                ["account": .string(wallet.account.lowercased()), "label": "Mine"],
                by: ada
            )
            #expect(added.text("account") == wallet.account)
        }
    }

    @Test(arguments: [
        ("eip155:999999:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", "unknown_network"),
        ("eip155:1:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96046", "address_invalid"),
        ("bip122:000000000019d6689c085ae165831e93:tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "address_invalid"),
        ("sui:mainnet:0x2", "address_invalid"), ("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:0", "address_invalid"),
    ])
    func `an account that isn't one is refused`(_ account: String, _ code: String) async throws {
        try await WalletWorld.with { world in
            let body: JSON = ["account": .string(account), "label": "Mine"]
            let refused = try await world.send("POST", "/v1/defi/wallets", body, by: ada)
            #expect(refused.code == code)
        }
    }

    @Test func `wallets of others aren't there`() async throws {
        try await WalletWorld.with { world in
            let id = try await world.add(try TestWallet.make("ethereum"), for: ada)
            let challenge = try await world.challenge(id, for: ada)
            #expect(try await world.send("GET", "/v1/defi/wallets/\(id)", by: bob).status == 404)
            #expect(try await world.send("POST", "/v1/defi/wallets/\(id)/revoke", by: bob).status == 404)
            #expect(try await world.challenge(id, for: bob).status == 404)
            #expect(try await world.verify(id, challenge.text("id"), "0x00", for: bob).status == 404)
            let mine = try await world.add(try TestWallet.make("ethereum"), for: bob)
            #expect(try await world.verify(mine, challenge.text("id"), "0x00", for: bob).status == 404)
        }
    }

    @Test func `a label is changed on top of the version that was read`() async throws {
        try await WalletWorld.with { world in
            let path = "/v1/defi/wallets/\(try await world.add(try TestWallet.make("bitcoin"), for: ada))"
            func rename(_ tag: String) async throws -> Answer {
                try await world.send("PATCH", path, ["label": "Savings"], by: ada, headers: [("If-Match", tag)])
            }
            #expect(try await rename("\"1\"").text("label") == "Savings")
            #expect(try await rename("\"1\"").status == 412)
        }
    }

    @Test func `settings are changed on top of the version that was read`() async throws {
        try await WalletWorld.with { world in
            let settings = try await world.send("GET", "/v1/defi/settings", by: ada)
            #expect(settings.json == ["risk_tolerance": "balanced", "auto_compound": false, "version": .integer(0)])
            func change(_ body: JSON, _ tag: String) async throws -> Answer {
                try await world.send("PATCH", "/v1/defi/settings", body, by: ada, headers: [("If-Match", tag)])
            }
            #expect(try await change(["auto_compound": true], "\"0\"").json["auto_compound"] == true)
            #expect(try await change(["risk_tolerance": "aggressive"], "\"0\"").status == 412)
            let last = try await change(["risk_tolerance": "aggressive"], "\"1\"")
            #expect(last.json == ["risk_tolerance": "aggressive", "auto_compound": true, "version": .integer(2)])
        }
    }

    @Test func `a blocked address isn't watched, one in review isn't proven`() async throws {
        try await WalletWorld.with { world in
            let (blocked, looked) = (try TestWallet.make("ethereum"), try TestWallet.make("solana"))
            world.screening.say(.block, of: blocked.account)
            let body: JSON = ["account": .string(blocked.account), "label": "Mine"]
            #expect(try await world.send("POST", "/v1/defi/wallets", body, by: ada).code == "address_blocked")
            let id = try await world.add(looked, for: ada)
            let challenge = try await world.challenge(id, for: ada)
            world.screening.say(.review, of: looked.account)
            let signature = try looked.sign(challenge.text("message"))
            #expect(
                try await world.verify(id, challenge.text("id"), signature, for: ada).code == "address_in_review"
            )
        }
    }

    @Test func `operators list, show and revoke wallets`() async throws {
        try await WalletWorld.with { world in
            let id = try await world.link(try TestWallet.make("ethereum"), for: ada)
            let operations = world.operations
            #expect(try await operations.list(of: bob, includingRevoked: true, limit: 10).isEmpty)
            #expect(try await operations.list(of: nil, includingRevoked: false, limit: 10).count == 1)
            #expect(try await operations.addresses(of: ada).count == 1)
            let shown = try await operations.show(id)
            #expect(shown["challenges"]?.elements?.first?["outcome"] == "verified")
            try await operations.revoke(id, because: "reported stolen", by: "olga")
            #expect(try await operations.list(of: ada, includingRevoked: false, limit: 10).isEmpty)
            #expect(try await operations.list(of: ada, includingRevoked: true, limit: 10).count == 1)
            let reason: String = try await world.value("select revoked_because from defi.wallets")
            #expect(reason == "reported stolen")
            await #expect(throws: Problem.notFound) { try await operations.show("wlt_1") }
        }
    }
}

@testable import DeFi
import Kernel
import PostgreSQL
import TestSupport
import Testing
import WalletCrypto
import WalletSigners

@Suite struct SignInTests {
    private func customer(_ world: WalletWorld) async throws -> ID<User> {
        let registered = try await world.send(
            "POST",
            "/v1/auth/register",
            ["email": "ada@example.com", "username": "ada", "password": "correct horse staple"]
        )
        return try #require(ID<User>(wire: registered.text("id")))
    }

    private func signIn(_ wallet: TestWallet, _ world: WalletWorld) async throws -> Answer {
        let challenge = try await world.send(
            "POST",
            "/v1/defi/sign-in/challenges",
            ["account": .string(wallet.account)]
        )
        #expect(challenge.status == 201)
        return try await submit(challenge, try wallet.sign(challenge.text("message")), world)
    }

    private func submit(_ challenge: Answer, _ signature: String, _ world: WalletWorld) async throws -> Answer {
        try await world.send(
            "POST",
            "/v1/defi/sign-in",
            ["challenge": .string(challenge.text("id")), "signature": .string(signature)]
        )
    }

    @Test(arguments: TestWallet.chains) func `a linked wallet signs its user in`(_ chain: String) async throws {
        try await WalletWorld.with { world in
            let user = try await customer(world)
            let wallet = try TestWallet.make(chain)
            _ = try await world.link(wallet, for: user)
            let tokens = try await signIn(wallet, world)
            #expect(tokens.status == 200)
            let me = try await world.send("GET", "/v1/me", token: tokens.text("access_token"))
            #expect(me.text("id") == user.wire)
            let refreshed = try await world.send(
                "POST",
                "/v1/auth/refresh",
                ["refresh_token": .string(tokens.text("refresh_token"))]
            )
            #expect(refreshed.status == 200)
        }
    }

    @Test func `a wallet that nobody has linked, or not any more, signs nobody in`() async throws {
        try await WalletWorld.with { world in
            let user = try await customer(world)
            let wallet = try TestWallet.make("ethereum")
            #expect(try await signIn(wallet, world).code == "wallet_not_linked")
            _ = try await world.add(wallet, for: user)
            #expect(try await signIn(wallet, world).code == "wallet_not_linked")
        }
        try await WalletWorld.with { world in
            let user = try await customer(world)
            let wallet = try TestWallet.make("ethereum")
            let id = try await world.link(wallet, for: user)
            try await world.send("POST", "/v1/defi/wallets/\(id)/revoke", by: user)
            #expect(try await signIn(wallet, world).code == "wallet_not_linked")
        }
    }

    @Test func `a wallet that is revoked while its contract answers opens no session`() async throws {
        let node = StubNode()
        var random = SystemRandomNumberGenerator()
        let key = try Signer(&random)
        node.deploy(EthereumAddress(key: key.key), ownedBy: EthereumAddress(key: key.key))
        try await WalletWorld.with(contracts: node) { world in
            let user = try await customer(world)
            let wallet = TestWallet.ethereum(key, reference: "31337")
            let id = try await world.link(wallet, for: user)
            #expect(try await signIn(wallet, world).status == 200)
            node.meanwhile { try await world.send("POST", "/v1/defi/wallets/\(id)/revoke", by: user) }
            #expect(try await signIn(wallet, world).code == "wallet_not_linked")
        }
    }

    @Test func `another key, a used challenge and a locked user are refused`() async throws {
        try await WalletWorld.with { world in
            let user = try await customer(world)
            let (wallet, other) = (try TestWallet.make("solana"), try TestWallet.make("solana"))
            _ = try await world.link(wallet, for: user)
            let asked: JSON = ["account": .string(wallet.account)]
            let challenge = try await world.send("POST", "/v1/defi/sign-in/challenges", asked)
            let message = challenge.text("message")
            #expect(try await submit(challenge, try other.sign(message), world).code == "proof_refused")
            #expect(try await submit(challenge, try wallet.sign(message), world).code == "challenge_used")
            let platform = world.database.pool(.platform)
            _ = try await platform.query("update platform.users set status = 'locked' where id = \(user)")
            #expect(try await signIn(wallet, world).code == "user_not_active")
        }
    }

    @Test func `a challenge to link a wallet signs nobody in`() async throws {
        try await WalletWorld.with { world in
            let user = try await customer(world)
            let (wallet, local) = (
                try TestWallet.make("ethereum"), try TestWallet.make("ethereum", reference: "31337")
            )
            _ = try await world.link(wallet, for: user)
            let id = try await world.add(local, for: user)
            let challenge = try await world.challenge(id, for: user)
            let answer = try await submit(challenge, try local.sign(challenge.text("message")), world)
            #expect(answer.status == 404)
        }
    }
}

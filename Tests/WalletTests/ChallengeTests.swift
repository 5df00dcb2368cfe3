@testable import DeFi
import DomainKit
import Kernel
import PostgreSQL
import Testing
import WalletSigners

@Suite struct ChallengeTests {
    private let ada = ID<User>(1)

    @Test func `of a thousand submissions at once one succeeds, without Redis`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("ethereum")
            let id = try await world.add(wallet, for: ada)
            let challenge = try await world.challenge(id, for: ada)
            let signature = try wallet.sign(challenge.text("message"))
            let (walletID, challengeID) = (
                try #require(ID<Wallet>(wire: id)), try #require(ID<Challenge>(wire: challenge.text("id")))
            )
            let stored = try await world.parts.wallets.get(walletID, of: ada)
            let initiator = Initiator(system: "test", correlation: 1)
            let outcomes = await withTaskGroup(of: String.self) { group in
                for _ in 0..<1_000 {
                    group.addTask {
                        do {
                            let verification = world.parts.verification
                            return try await verification.verify(stored, by: challengeID, signature, initiator)
                                .status.rawValue
                        } catch {
                            return (error as? Problem)?.code ?? "\(error)"
                        }
                    }
                }
                return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(outcomes == ["verified": 1, "challenge_used": 999])
            let events: Int = try await world.value(
                "select count(*) from defi.outbox_events where type = 'defi.wallet.verified'"
            )
            #expect(events == 1)
        }
    }

    @Test func `a refused proof uses its challenge up`() async throws {
        try await WalletWorld.with { world in
            let (wallet, other) = (try TestWallet.make("ethereum"), try TestWallet.make("ethereum"))
            let id = try await world.add(wallet, for: ada)
            let challenge = try await world.challenge(id, for: ada)
            let (number, message) = (challenge.text("id"), challenge.text("message"))
            let refused = try await world.verify(id, number, try other.sign(message), for: ada)
            #expect(refused.code == "proof_refused")
            #expect(refused.faults == ["/signature mismatch"])
            #expect(try await world.verify(id, number, try wallet.sign(message), for: ada).code == "challenge_used")
            let outcome: String = try await world.value("select outcome from defi.wallet_challenges")
            #expect(outcome == "mismatch")
            let kept: Int = try await world.value("select count(signature) from defi.wallet_challenges")
            #expect(kept == 0)
            let audited: Int = try await world.value(
                "select count(*) from defi.audit_log where action = 'wallet_challenge.refused'"
            )
            #expect(audited == 1)
        }
    }

    @Test(arguments: TestWallet.chains) func `a signature over another text proves nothing`(
        _ chain: String
    ) async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make(chain)
            let id = try await world.add(wallet, for: ada)
            let (first, second) = (try await world.challenge(id, for: ada), try await world.challenge(id, for: ada))
            let signature = try wallet.sign(first.text("message"))
            #expect(try await world.verify(id, second.text("id"), signature, for: ada).code == "proof_refused")
            #expect(try await world.verify(id, first.text("id"), signature, for: ada).status == 200)
        }
    }

    @Test func `a challenge counts for ten minutes`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("solana")
            let id = try await world.add(wallet, for: ada)
            world.clock.advance(seconds: -Challenge.lifetimeSeconds)
            let challenge = try await world.challenge(id, for: ada)
            let signature = try wallet.sign(challenge.text("message"))
            let late = try await world.verify(id, challenge.text("id"), signature, for: ada)
            #expect(late.code == "challenge_expired")
            #expect(try await world.verify(id, challenge.text("id"), signature, for: ada).code == "challenge_used")
        }
    }

    @Test func `a challenge that was made for another site is refused unused`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("sui")
            let id = try await world.add(wallet, for: ada)
            let walletID = try #require(ID<Wallet>(wire: id))
            let stored = try await world.parts.wallets.get(walletID, of: ada)
            let elsewhere = Challenges(
                schema: .defi,
                pool: world.pool,
                ids: world.ids,
                clock: world.clock,
                site: ChallengeSite(publicURL: "https://evil.example", path: "/v1/defi/wallets")
            )
            let challenge = try await elsewhere.issue(.linkWallet, stored.account, .text, for: ada)
            let signature = try wallet.sign(challenge.message)
            let refused = try await world.verify(id, challenge.id.wire, signature, for: ada)
            #expect(refused.code == "challenge_stale")
            let used: Int = try await world.value("select count(consumed_at) from defi.wallet_challenges")
            #expect(used == 0)
        }
    }

    @Test func `a challenge to sign in links nothing, and none of another wallet`() async throws {
        try await WalletWorld.with { world in
            let (wallet, other) = (try TestWallet.make("ethereum"), try TestWallet.make("bitcoin"))
            let (id, otherID) = (try await world.add(wallet, for: ada), try await world.add(other, for: ada))
            let asked: JSON = ["account": .string(wallet.account)]
            let signIn = try await world.send("POST", "/v1/defi/sign-in/challenges", asked)
            let signature = try wallet.sign(signIn.text("message"))
            #expect(try await world.verify(id, signIn.text("id"), signature, for: ada).status == 404)
            let challenge = try await world.challenge(otherID, for: ada)
            let misplaced = try wallet.sign(challenge.text("message"))
            #expect(try await world.verify(id, challenge.text("id"), misplaced, for: ada).status == 404)
        }
    }

    @Test func `a user has so many open challenges`() async throws {
        try await WalletWorld.with { world in
            let id = try await world.add(try TestWallet.make("ethereum"), for: ada)
            for _ in 0..<Challenges.openMax { #expect(try await world.challenge(id, for: ada).status == 201) }
            let refused = try await world.challenge(id, for: ada)
            #expect(refused.status == 429)
            #expect(refused.code == "too_many_challenges")
        }
    }

    @Test func `the database uses a challenge once, whatever is asked of it`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("ethereum")
            _ = try await world.link(wallet, for: ada)
            for statement: SQL in [
                "update defi.wallet_challenges set consumed_at = null, outcome = null, signature = null",
                "update defi.wallet_challenges set consumed_at = clock_timestamp()",
                "update defi.wallet_challenges set outcome = 'mismatch', signature = null",
            ] {
                await #expect(throws: PostgresError.self) { try await world.pool.query(statement) }
            }
        }
    }

    @Test func `challenges that prove nothing are swept`() async throws {
        try await WalletWorld.with { world in
            let wallet = try TestWallet.make("ethereum")
            let id = try await world.link(wallet, for: ada)
            world.clock.advance(seconds: -2 * 86_400)
            let account = try await world.parts.wallets.get(try #require(ID<Wallet>(wire: id)), of: ada).account
            for _ in 0..<3 { _ = try await world.parts.challenges.issue(.signIn, account, .text, for: nil) }
            #expect(try await world.parts.challenges.sweep(limit: 2) == 2)
            #expect(try await world.parts.challenges.sweep(limit: 2) == 1)
            let left: Int = try await world.value("select count(*) from defi.wallet_challenges")
            #expect(left == 1)
        }
    }
}

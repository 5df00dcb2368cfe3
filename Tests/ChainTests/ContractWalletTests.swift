import DomainKit
import HTTP
import Kernel
import PostgreSQL
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// Wallets that are contracts, proven through a node of a real chain (ERC-1271).
@Suite(.serialized)
struct ContractWalletTests {
    @Test(arguments: [Challenge.Form.text, .typedData])
    func `two of three owners prove their contract, one doesn't`(form: Challenge.Form) async throws {
        try await CustodyWorld.with { world in
            let account = try await world.contractAccount()
            let first = try await world.proofs.challenges.issue(.linkWallet, account, form, for: ID(1))
            let one = try world.signature(of: first, by: [1])
            #expect(await isRefused("proof_refused") { try await world.settle(first, one) })
            let second = try await world.proofs.challenges.issue(.linkWallet, account, form, for: ID(1))
            let two = try world.signature(of: second, by: [1, 2])
            try await world.settle(second, two)
            // Used up, even by a proof that holds.
            #expect(await isRefused("challenge_used") { try await world.settle(second, two) })
            let third = try await world.proofs.challenges.issue(.linkWallet, account, form, for: ID(1))
            let stranger = try world.signature(of: third, by: [1, 5])
            #expect(await isRefused("proof_refused") { try await world.settle(third, stranger) })
        }
    }

    @Test(arguments: ["eth_getCode", "eth_call"])
    func `what two nodes don't say alike of a contract proves nothing, until they do`(_ method: String) async throws {
        try await CustodyWorld.with { one in
            let world = try await one.followedByTwo()
            let account = try await world.contractAccount()
            let challenges = world.proofs.challenges
            // The first says that the contract is there and signs; what the second says is of no contract's.
            let no: JSON = method == "eth_getCode" ? "0x" : .string(HexText.encode([UInt8](repeating: 0, count: 32)))
            for liar in [world.dev.second, world.dev] {
                try await liar.lie(method, about: account.address, no)
                let refused = try await challenges.issue(.linkWallet, account, .text, for: ID(1))
                let signature = try world.signature(of: refused, by: [1, 2])
                #expect(await isRefused("chain_disagreement") { try await world.settle(refused, signature) })
                try await liar.tellTruth()
            }
            let challenge = try await challenges.issue(.linkWallet, account, .text, for: ID(1))
            try await world.settle(challenge, try world.signature(of: challenge, by: [1, 2]))
            // One that both refuse is refused for good.
            let other = try await challenges.issue(.linkWallet, account, .text, for: ID(1))
            let stranger = try world.signature(of: other, by: [1, 5])
            #expect(await isRefused("proof_refused") { try await world.settle(other, stranger) })
        }
    }

    @Test func `while the node is gone nothing is decided, and trying again is asked for`() async throws {
        try await CustodyWorld.with { world in
            let account = try await world.contractAccount()
            for method in ["eth_getCode", "eth_call"] {
                let challenge = try await world.proofs.challenges.issue(.linkWallet, account, .text, for: ID(1))
                let signature = try world.signature(of: challenge, by: [1, 2])
                try await world.dev.fault(.drop, on: method, count: 10)
                #expect(await isRefused("node_unavailable") { try await world.settle(challenge, signature) })
                try await world.exhaustFaults(of: method)
            }
            let challenge = try await world.proofs.challenges.issue(.linkWallet, account, .text, for: ID(1))
            try await world.settle(challenge, try world.signature(of: challenge, by: [1, 2]))
        }
    }
}

extension CustodyWorld {
    fileprivate var proofs: Proofs {
        Proofs(
            challenges: Challenges(
                schema: .defi,
                pool: pool,
                ids: ids,
                clock: SystemClock(),
                site: ChallengeSite(publicURL: "https://api.example.com", path: "/v1/defi/wallets")
            ),
            contracts: NodeContracts(chain: chain, logger: .quiet),
            journal: WalletJournal(schema: .defi, ids: ids)
        )
    }

    /// The chain's contract that two of three owners sign for: those of the accounts 1 to 3.
    fileprivate func contractAccount() async throws -> AccountID {
        let described = try await dev.rpc.call("dev_info")
        let address = try #require(described["contracts"]?["SmartWallet2of3"]?.stringValue)
        return try #require(AccountID("\(chain.name):\(address)"))
    }

    /// The signatures of some accounts behind each other, in the order of their addresses.
    fileprivate func signature(of challenge: Challenge, by places: [Int]) throws -> String {
        let digest: [UInt8] =
            switch challenge.form {
            case .text: PersonalMessage.digest(of: Array(challenge.message.utf8))
            case .typedData: try TypedMessage(parsing: Array(challenge.message.utf8)).digest
            }
        let sorted = places.sorted { dev.address($0).bytes.lexicographicallyPrecedes(dev.address($1).bytes) }
        return HexText.encode(try sorted.flatMap { try dev.signers[$0].ethereum(digest) })
    }

    fileprivate func settle(_ challenge: Challenge, _ signature: String) async throws {
        let initiator = Initiator(system: "test", correlation: 1)
        try await proofs.settle(challenge, signature: signature, kind: .contract, by: initiator)
    }

    /// Asks until no ordered fault of a method is left.
    fileprivate func exhaustFaults(of method: String) async throws {
        for _ in 0..<20 { _ = try? await dev.rpc.call(method, "0x0000000000000000000000000000000000000001", "latest") }
    }
}

/// What may be tried again.
private let retried = ["node_unavailable", "chain_disagreement"]

/// Whether something is refused by that code; what may be tried again says when.
private func isRefused(_ code: String, _ work: () async throws -> Void) async -> Bool {
    do {
        try await work()
        return false
    } catch let problem as Problem {
        return problem.code == code && (!retried.contains(code) || problem.retryAfterSeconds != nil)
    } catch {
        return false
    }
}

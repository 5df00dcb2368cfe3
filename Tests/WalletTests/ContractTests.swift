@testable import DeFi
import Kernel
import PostgreSQL
import Synchronization
import Testing
import WalletCrypto
import WalletSigners

/// A node that knows some contracts which sign by one key each, as the simplest smart accounts do.
final class StubNode: ContractAccounts {
    struct Down: Error {}

    private struct State {
        var owners: [EthereumAddress: EthereumAddress] = [:]
        var isDown = false
        var meanwhile: (@Sendable () async throws -> Void)?
        var calls = 0
    }

    private let state = Mutex(State())
    private let chain = "eip155:31337"

    var calls: Int { state.withLock { $0.calls } }

    func deploy(_ contract: EthereumAddress, ownedBy owner: EthereumAddress) {
        state.withLock { $0.owners[contract] = owner }
    }

    func down() { state.withLock { $0.isDown = true } }

    /// Lets something happen while the next call is answered.
    func meanwhile(_ work: @Sendable @escaping () async throws -> Void) { state.withLock { $0.meanwhile = work } }

    func hasCode(_ address: EthereumAddress, on chain: ChainID) async throws -> Bool? {
        guard chain.description == self.chain else { return nil }
        return try state.withLock { state in
            guard !state.isDown else { throw Down() }
            return state.owners[address] != nil
        }
    }

    func answer(of address: EthereumAddress, to callData: [UInt8], on chain: ChainID) async throws -> [UInt8] {
        let work = state.withLock { state in
            state.calls += 1
            defer { state.meanwhile = nil }
            return state.meanwhile
        }
        try await work?()
        guard let owner = state.withLock({ $0.owners[address] }),
            case .bytes(let digest)? = try? ABI.decode(Array(callData[4...]), as: [.fixedBytes(32), .bytes]).first,
            case .bytes(let bytes)? = try? ABI.decode(Array(callData[4...]), as: [.fixedBytes(32), .bytes]).last,
            let signature = try? EthereumSignature(bytes), signature.signer(of: digest) == owner
        else { return [] }
        return Array(callData[..<4]) + [UInt8](repeating: 0, count: 28)
    }
}

@Suite struct ContractTests {
    private let ada = ID<User>(1)
    private let contract = "0x5FbDB2315678afecb367f032d93F642f64180aa3"

    private func addContract(_ world: WalletWorld, reference: String = "31337") async throws -> String {
        let body: JSON = ["account": .string("eip155:\(reference):\(contract)"), "label": "Safe", "type": "contract"]
        let added = try await world.send("POST", "/v1/defi/wallets", body, by: ada)
        #expect(added.status == 201)
        return added.text("id")
    }

    private func submit(_ signer: Signer, to world: WalletWorld, for id: String, _ form: String) async throws -> Answer
    {
        let challenge = try await world.challenge(id, for: ada, form: form)
        let wallet = TestWallet.ethereum(signer)
        let message = challenge.text("message")
        let signature = form == "text" ? try wallet.sign(message) : try wallet.sign(typedData: message)
        return try await world.verify(id, challenge.text("id"), signature, for: ada)
    }

    @Test(arguments: ["text", "typed_data"]) func `a contract says whether a signature is its own`(
        _ form: String
    ) async throws {
        let node = StubNode()
        var random = SystemRandomNumberGenerator()
        let (owner, stranger) = (try Signer(&random), try Signer(&random))
        node.deploy(try #require(EthereumAddress(contract)), ownedBy: EthereumAddress(key: owner.key))
        try await WalletWorld.with(contracts: node) { world in
            let id = try await addContract(world)
            #expect(try await submit(stranger, to: world, for: id, form).code == "proof_refused")
            #expect(try await submit(owner, to: world, for: id, form).text("status") == "verified")
            #expect(node.calls == 2)
        }
    }

    @Test func `where there is code, the key's signature isn't looked at`() async throws {
        let node = StubNode()
        var random = SystemRandomNumberGenerator()
        let (key, owner) = (try Signer(&random), try Signer(&random))
        // An account that had a key first and has code now.
        node.deploy(EthereumAddress(key: key.key), ownedBy: EthereumAddress(key: owner.key))
        try await WalletWorld.with(contracts: node) { world in
            let wallet = TestWallet.ethereum(key, reference: "31337")
            let id = try await world.add(wallet, for: ada)
            let challenge = try await world.challenge(id, for: ada)
            let signature = try wallet.sign(challenge.text("message"))
            #expect(try await world.verify(id, challenge.text("id"), signature, for: ada).code == "proof_refused")
        }
    }

    @Test func `a contract can't be asked without a node, nor while it is down`() async throws {
        let node = StubNode()
        try await WalletWorld.with(contracts: node) { world in
            let wallet = try TestWallet.make("ethereum", reference: "31337")
            // No node of mainnet is there.
            let elsewhere = try await addContract(world, reference: "1")
            let first = try await world.challenge(elsewhere, for: ada)
            let signature = try wallet.sign(first.text("message"))
            #expect(
                try await world.verify(elsewhere, first.text("id"), signature, for: ada).code == "node_unavailable"
            )
            // Nor is there code at this one.
            let empty = try await addContract(world)
            let second = try await world.challenge(empty, for: ada)
            let other = try wallet.sign(second.text("message"))
            #expect(try await world.verify(empty, second.text("id"), other, for: ada).code == "proof_refused")

            let id = try await world.add(wallet, for: ada)
            node.down()
            let third = try await world.challenge(id, for: ada)
            let late = try await world.verify(id, third.text("id"), try wallet.sign(third.text("message")), for: ada)
            #expect(late.code == "node_unavailable")
            let outcomes: Int = try await world.value(
                "select count(*) from defi.wallet_challenges where outcome = 'undecided'"
            )
            #expect(outcomes == 2)
        }
    }
}

import EmbeddedServers
import Foundation
import Kernel
import Logging
import OutboundHTTP
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// A chain of its own for a test, with its funded accounts.
struct DevChain: Sendable {
    /// A fault that the next calls of a method meet.
    enum Fault: String, CaseIterable, Sendable {
        /// A refusal.
        case error
        /// A call that is made late.
        case delay
        /// An answer that comes late; the call was made at once.
        case late
        /// The connection is closed instead of an answer; the call was not made.
        case drop
        /// The connection is closed instead of an answer; the call was made.
        case lost
        /// `0x`, whatever was asked.
        case garbage
    }

    let rpc: JSONRPC
    let url: String
    let signers: [Signer]
    let deploymentPath: String

    /// Runs `body` with a chain that mines each transaction at once, until it is told otherwise.
    static func with(_ body: (DevChain) async throws -> Void) async throws {
        let chain = try await DevChainPool.shared.take()
        do {
            try await body(try DevChain(chain))
            await DevChainPool.shared.give(back: chain)
        } catch {
            await DevChainPool.shared.give(back: chain)
            throw error
        }
    }

    fileprivate init(_ chain: EmbeddedChain) throws {
        let ready = try JSON.parse(Array(chain.ready.utf8))
        url = try #require(ready["rpc"]?.stringValue)
        // Blocks of hundreds of transactions take the chain some seconds.
        rpc = JSONRPC(url: url, http: .loopback(), deadlineSeconds: 60)
        deploymentPath = chain.deploymentPath
        signers = try (ready["accounts"]?.elements ?? []).map { account in
            try Signer(secret: try #require(account["privateKey"]?.stringValue.flatMap(HexText.decode)))
        }
    }

    private init(_ other: DevChain, url: String) {
        (self.url, signers, deploymentPath) = (url, other.signers, other.deploymentPath)
        rpc = JSONRPC(url: url, http: .loopback(), deadlineSeconds: 60)
    }

    func address(_ place: Int) -> EthereumAddress { EthereumAddress(key: signers[place].key) }

    /// The chain as the program follows it; a deadline of its own makes faults quick.
    func followed(
        confirmations: Int = 3,
        second: String? = nil,
        deadlineSeconds: Double = 20
    ) throws -> EthereumChain {
        let nodes = [url, second].compactMap(\.self).map {
            EthereumNode(rpc: JSONRPC(url: $0, http: .loopback(), deadlineSeconds: deadlineSeconds))
        }
        return EthereumChain(
            deployment: try Deployment(path: deploymentPath),
            nodes: EthereumNodes(first: nodes[0], second: nodes.count > 1 ? nodes[1] : nil),
            confirmations: confirmations,
            gasCeilingGwei: 500
        )
    }

    // MARK: What only a chain of one's own does

    func mine(_ blocks: Int = 1) async throws { _ = try await rpc.call("evm_mine", .integer(blocks)) }

    func setAutomine(_ isOn: Bool) async throws { _ = try await rpc.call("evm_setAutomine", .bool(isOn)) }

    func pass(seconds: Int) async throws {
        _ = try await rpc.call("evm_increaseTime", .integer(seconds))
        try await mine()
    }

    func reorganise(depth: Int, keeping: Bool) async throws {
        _ = try await rpc.call("dev_reorg", ["depth": .integer(depth), "keep": .bool(keeping)])
    }

    func fault(_ fault: Fault, on method: String, count: Int = 1, seconds: String = "0.05") async throws {
        _ = try await rpc.call(
            "dev_fault",
            [
                "method": .string(method), "kind": .string(fault.rawValue), "count": .integer(count),
                "seconds": .number(seconds),
            ]
        )
    }

    /// Answers the next calls of a method as a node does that has the newest block not yet; what is sent is taken.
    func lag(_ method: String, count: Int = 1) async throws {
        _ = try await rpc.call("dev_fault", ["method": .string(method), "kind": "lag", "count": .integer(count)])
    }

    /// Forgets the faults that no call has met.
    func heal() async throws { _ = try await rpc.call("dev_heal") }

    /// The same chain by another node, with faults of its own.
    var second: DevChain { DevChain(self, url: url + "/second") }

    /// Answers calls of a method whose parameters have a text with something else from now on.
    func lie(_ method: String, about: String, _ value: JSON) async throws {
        _ = try await rpc.call(
            "dev_lie",
            ["method": .string(method), "about": .string(about), "value": value]
        )
    }

    /// Says what is so again.
    func tellTruth() async throws { _ = try await rpc.call("dev_truth") }

    /// The kinds of faults that calls have met.
    func met() async throws -> Set<Fault> {
        let stats = try await stats()
        return Set(Fault.allCases.filter { stats["fault.\($0.rawValue)", default: 0] > 0 })
    }

    /// Sends something from an account of the chain's that no test's user has, and mines it.
    func send(
        _ function: String,
        _ arguments: [ABIValue],
        to contract: EthereumAddress,
        value: BigUInt = .zero,
        gas: UInt64 = 1_000_000
    ) async throws {
        let data = try #require(ContractFunction(function)).callData(arguments)
        try await send(data, to: contract, value: value, gas: gas)
    }

    /// Sends coins from that account.
    func pay(_ recipient: EthereumAddress, _ wei: BigUInt) async throws {
        try await send([], to: recipient, value: wei, gas: 21_000)
    }

    /// How often each method was called.
    func stats() async throws -> [String: Int] {
        guard case .object(let members) = try await rpc.call("dev_stats") else { return [:] }
        return members.reduce(into: [:]) { $0[$1.name] = $1.value.integerValue }
    }

    private func send(_ data: [UInt8], to contract: EthereumAddress, value: BigUInt, gas: UInt64) async throws {
        let node = EthereumNode(rpc: rpc)
        let nonce = try await node.nonce(of: address(0), at: .pending)
        // Each pays a little more than all before, so that it is the first in its block: what waits was estimated by
        // those.
        let tip = BigUInt.powerOfTen(9) + BigUInt(nonce) * BigUInt.powerOfTen(7)
        let transaction = try #require(
            EthereumTransaction(
                chainID: try await node.chainID(),
                nonce: nonce,
                fee: .dynamic(
                    maxFeePerGas: BigUInt(100) * BigUInt.powerOfTen(9),
                    maxPriorityFeePerGas: tip
                ),
                gasLimit: gas,
                to: contract,
                value: value,
                data: data
            )
        )
        let reception = await node.send(try signers[0].sign(transaction).bytes)
        #expect(reception == .accepted)
    }
}

/// Chains that tests are done with, as good as new: to start one and put its contracts there takes five seconds.
private actor DevChainPool {
    static let shared = DevChainPool()
    /// Chains that wait for the next test; more are stopped.
    private static let idleMax = 4

    private var idle: [EmbeddedChain] = []

    func take() async throws -> EmbeddedChain {
        if let chain = idle.popLast() { return chain }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
            .standardized.path
        return try await EmbeddedChain.startTemporary(
            .ethereum,
            EmbeddedChain.Programs(
                python: root + "/.build/chains/bin/python",
                directory: root + "/Tests/DevChains"
            )
        )
    }

    func give(back chain: EmbeddedChain) async {
        guard idle.count < Self.idleMax, let dev = try? DevChain(chain),
            let done = try? await dev.rpc.call("dev_reset"), done == .bool(true)
        else { return await chain.stop() }
        idle.append(chain)
    }
}

extension Signer {
    /// A transaction as a wallet gives it back.
    func sign(_ transaction: EthereumTransaction) throws -> SignedEthereumTransaction {
        try SignedEthereumTransaction(
            transaction,
            signature: try EthereumSignature(try ethereum(transaction.signingHash))
        )
    }
}

extension HTTPClient {
    /// To loopback, without the patience for a host that fails.
    static func loopback() -> HTTPClient {
        var configuration = HTTPClientConfiguration()
        (configuration.allowPlainHTTP, configuration.allowPrivateAddresses) = (true, true)
        configuration.retry.firstDelaySeconds = 0.001
        configuration.circuit.consecutiveFailuresMax = 100_000
        configuration.circuit.failurePercentMax = 101
        return HTTPClient(name: "test", configuration: configuration, logger: .quiet)
    }
}

extension Logger {
    /// Says nothing.
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

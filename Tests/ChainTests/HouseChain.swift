import DomainKit
import EmbeddedServers
import Foundation
import Kernel
import Testing
import WalletCrypto

@testable import DeFi

/// A chain of payments on this machine with a custodian, as tests of custody need it.
struct HouseChain: Sendable, CustomTestStringConvertible {
    /// Which one.
    enum Kind: String, CaseIterable, Sendable {
        case bitcoin
        case solana
    }

    let kind: Kind
    let rpc: JSONRPC
    /// The custodian's.
    let account: String
    private let ready: JSON

    var testDescription: String { kind.rawValue }

    /// Runs `body` with a chain of its own.
    static func with(_ kind: Kind, _ body: (HouseChain) async throws -> Void) async throws {
        let chain = try await EmbeddedChain.startTemporary(
            kind == .bitcoin ? .bitcoin : .solana,
            .ofTests,
            arguments: kind == .solana ? ["--slot-ms", "0"] : []
        )
        do {
            try await body(try HouseChain(kind, chain))
            await chain.stop()
        } catch {
            await chain.stop()
            throw error
        }
    }

    private init(_ kind: Kind, _ chain: EmbeddedChain) throws {
        ready = try JSON.parse(Array(chain.ready.utf8))
        self.kind = kind
        rpc = JSONRPC(url: try #require(ready["rpc"]?.stringValue), http: .loopback(), deadlineSeconds: 60)
        account = try #require(ready["custodian"]?.stringValue)
    }

    /// The chain as the program follows it.
    func followed(confirmations: Int, _ runtime: DomainRuntime) throws -> any PaymentChain {
        switch kind {
        case .bitcoin:
            let network = try #require(ChainNetwork.all.first { $0.chain == .bitcoin && $0.kind == .local })
            return BitcoinChain(
                nodes: [BitcoinNode(url: rpc.url, http: .loopback(), deadlineSeconds: 5, network)],
                network: network,
                confirmations: confirmations,
                feeCeiling: 100,
                custody: account,
                runtime
            )
        case .solana:
            let deployment = try TokenDeployment(
                ["chain": "solana:So1Dev11111111111111111111111111", "tokens": [:], "custody": .string(account)],
                .solana
            )
            return try SolanaChain(deployment, urls: [rpc.url], http: .loopback())
        }
    }

    // MARK: What only a chain of one's own does

    /// What counts as one block more, and on Solana as final.
    func mine(_ blocks: Int = 1) async throws {
        switch kind {
        case .bitcoin:
            _ = try await rpc.call("generatetoaddress", .integer(blocks), .string(BitcoinWorld.miner))
        case .solana: _ = try await rpc.call("dev_warp", .integer(40))
        }
    }

    /// Gives somebody coins that nobody's wallet sent.
    func fund(_ address: String, _ units: Int) async throws {
        let method = kind == .bitcoin ? "dev_fund" : "requestAirdrop"
        _ = try await rpc.call(method, .string(address), .integer(units))
    }

    /// Replaces what isn't final on Solana, and the newest blocks on Bitcoin; what was in them comes again, or not.
    func reorganise(depth: Int, keeping: Bool) async throws {
        guard kind == .bitcoin else {
            _ = try await rpc.call("dev_fork", ["slots": .integer(depth), "keep": .bool(keeping)])
            return
        }
        let head = try #require(try await rpc.call("getblockcount").integerValue)
        _ = try await rpc.call("invalidateblock", try await rpc.call("getblockhash", .integer(head - depth + 1)))
        if !keeping {
            for id in try await rpc.call("getrawmempool").elements ?? [] { _ = try await rpc.call("dev_forget", id) }
        }
        try await mine(depth + 1)
    }

    func fault(_ fault: DevChain.Fault, on method: String, count: Int = 1) async throws {
        _ = try await rpc.call(
            "dev_fault",
            [
                "method": .string(method), "kind": .string(fault.rawValue), "count": .integer(count),
                "seconds": .number("0.05"),
            ]
        )
    }
}

import EmbeddedServers
import Foundation
import Kernel
import OutboundHTTP
import Testing
import WalletCrypto

@testable import DeFi

/// A Solana of its own for a test: slots come only when a test says so.
struct SolanaDev: Sendable {
    let rpc: JSONRPC
    let mint: SolanaAddress

    /// Runs `body` with a chain, and a second one that knows nothing of it if wanted.
    static func with(_ body: (SolanaDev) async throws -> Void) async throws {
        let chain = try await EmbeddedChain.startTemporary(.solana, .ofTests, arguments: ["--slot-ms", "0"])
        do {
            try await body(try SolanaDev(chain))
            await chain.stop()
        } catch {
            await chain.stop()
            throw error
        }
    }

    private init(_ chain: EmbeddedChain) throws {
        let ready = try JSON.parse(Array(chain.ready.utf8))
        rpc = JSONRPC(url: try #require(ready["rpc"]?.stringValue), http: .loopback(), deadlineSeconds: 10)
        mint = try #require(ready["mints"]?["USDC"]?.stringValue.flatMap { SolanaAddress($0) })
    }

    private init(_ other: SolanaDev, url: String) {
        rpc = JSONRPC(url: url, http: .loopback(), deadlineSeconds: 10)
        mint = other.mint
    }

    /// The same chain by another node, with faults of its own.
    var second: SolanaDev { SolanaDev(self, url: rpc.url + "/second") }

    /// The chain as the program follows it.
    func followed(_ others: SolanaDev...) throws -> SolanaChain {
        let deployment = try TokenDeployment(
            ["chain": "solana:So1Dev11111111111111111111111111", "tokens": ["USDC": .string(mint.description)]],
            .solana
        )
        let urls = ([self] + others).map(\.rpc.url)
        return try SolanaChain(deployment, urls: urls, http: .loopback())
    }

    // MARK: What only a chain of one's own does

    func warp(_ slots: Int) async throws { _ = try await rpc.call("dev_warp", .integer(slots)) }

    /// Enough slots for everything so far to be final.
    func finalise() async throws { try await warp(40) }

    func fund(_ address: String, _ lamports: Int) async throws {
        _ = try await rpc.call("requestAirdrop", .string(address), .integer(lamports))
    }

    func mint(_ units: Int, to address: String) async throws {
        _ = try await rpc.call("dev_mintToken", "USDC", .string(address), .integer(units))
    }

    func fork(_ slots: Int, keeping: Bool) async throws {
        _ = try await rpc.call("dev_fork", ["slots": .integer(slots), "keep": .bool(keeping)])
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

    /// Says something else in the answers of a method from now on.
    func lie(_ method: String, _ truth: String, _ said: String) async throws {
        _ = try await rpc.call("dev_lie", .string(method), .string(truth), .string(said))
    }

    func tellTruth() async throws { _ = try await rpc.call("dev_truth") }

    /// How often a method was called.
    func calls(of method: String) async throws -> Int {
        try await rpc.call("dev_stats")[method]?.integerValue ?? 0
    }

    /// What an address has now, final or not.
    func lamports(_ address: String) async throws -> Int128 {
        let answer = try await rpc.call("getBalance", .string(address), ["commitment": "processed"])
        return Int128(try #require(answer["value"]?.integerValue))
    }

    func units(_ address: String) async throws -> Int128 {
        let answer = try await rpc.call(
            "getTokenAccountsByOwner",
            .string(address),
            ["mint": .string(mint.description)],
            ["commitment": "processed", "encoding": "jsonParsed"]
        )
        let amounts = try (answer["value"]?.elements ?? []).map { account in
            let info = account["account"]?["data"]?["parsed"]?["info"]
            return try #require(info?["tokenAmount"]?["amount"]?.stringValue.flatMap { Int128($0) })
        }
        return amounts.reduce(0, +)
    }
}

extension EmbeddedChain.Programs {
    /// The chains of this tree, in the environment that `./test` makes.
    static var ofTests: EmbeddedChain.Programs {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
            .standardized.path
        return EmbeddedChain.Programs(
            python: root + "/.build/chains/bin/python",
            directory: root + "/Tests/DevChains"
        )
    }
}

import EmbeddedServers
import Kernel
import OutboundHTTP
import Testing
import WalletCrypto

@testable import DeFi

/// A stand-in for Sui of its own for a test: checkpoints come only when a test says so.
struct SuiDev: Sendable {
    let url: String
    let token: String
    private let dev: JSONRPC

    /// Runs `body` with one.
    static func with(_ body: (SuiDev) async throws -> Void) async throws {
        let chain = try await EmbeddedChain.startTemporary(.sui, .ofTests)
        do {
            try await body(try SuiDev(chain))
            await chain.stop()
        } catch {
            await chain.stop()
            throw error
        }
    }

    private init(_ chain: EmbeddedChain) throws {
        let ready = try JSON.parse(Array(chain.ready.utf8))
        url = try #require(ready["rpc"]?.stringValue)
        token = try #require(ready["tokens"]?["USDC"]?.stringValue)
        dev = JSONRPC(url: try #require(ready["dev"]?.stringValue), http: .loopback(), deadlineSeconds: 10)
    }

    private init(_ other: SuiDev) {
        let root = other.url.replacing("/graphql", with: "/second")
        (url, token) = (root + "/graphql", other.token)
        dev = JSONRPC(url: root + "/dev", http: .loopback(), deadlineSeconds: 10)
    }

    /// The same chain by another node, with faults of its own.
    var second: SuiDev { SuiDev(self) }

    /// The chain as the program follows it.
    func followed(_ others: SuiDev...) throws -> SuiChain {
        let deployment = try TokenDeployment(
            ["chain": "sui:localnet", "tokens": ["USDC": .string(token)]],
            .sui
        )
        return try SuiChain(deployment, urls: ([self] + others).map(\.url), http: .loopback())
    }

    // MARK: What only a chain of one's own does

    func checkpoint(_ count: Int = 1) async throws { _ = try await dev.call("dev_checkpoint", .integer(count)) }

    func nextEpoch() async throws { _ = try await dev.call("dev_epoch") }

    /// A coin object for somebody.
    func fund(_ address: String, _ units: Int, _ coin: String = "SUI") async throws {
        _ = try await dev.call("dev_faucet", .string(address), .string(coin), .integer(units))
    }

    func fault(_ fault: DevChain.Fault, on field: String, count: Int = 1) async throws {
        _ = try await dev.call(
            "dev_fault",
            [
                "method": .string(field), "kind": .string(fault.rawValue), "count": .integer(count),
                "seconds": .number("0.05"),
            ]
        )
    }

    /// Says something else in the answers about a field from now on.
    func lie(_ field: String, _ truth: String, _ said: String) async throws {
        _ = try await dev.call("dev_lie", .string(field), .string(truth), .string(said))
    }

    func tellTruth() async throws { _ = try await dev.call("dev_truth") }

    func calls(of field: String) async throws -> Int { try await dev.call("dev_stats")[field]?.integerValue ?? 0 }
}

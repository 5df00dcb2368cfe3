import Kernel
import OutboundHTTP
import Testing
import WalletCrypto

@testable import DeFi

@Suite struct TokenDeploymentTests {
    private static let solana: JSON = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"

    @Test func `a network and its tokens are read`() throws {
        let mint = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGkZwyTDt1v"
        let deployment = try TokenDeployment(
            ["chain": Self.solana, "tokens": ["USDC": .string(mint)]],
            .solana
        )
        let chain = try SolanaChain(deployment, urls: ["http://127.0.0.1"], http: .loopback())
        #expect(chain.name == "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp")
        #expect(chain.assets == [.sol, .usdc])
        #expect(chain.tokens[0].mint.description == mint)
    }

    @Test(
        arguments: [
            (["chain": Self.solana], "tokens"), (["tokens": [:]], "chain"),
            (["chain": "solana:unknown", "tokens": [:]], "chain"), (["chain": "sui:mainnet", "tokens": [:]], "chain"),
            (["chain": Self.solana, "tokens": ["GOLD": "x"]], "tokens/GOLD"),
            (["chain": Self.solana, "tokens": ["USDC": true]], "tokens/USDC"),
            (["chain": Self.solana, "tokens": ["USDC": "a", "USDT": "a"]], "tokens: one twice"),
        ] as [(JSON, String)]
    )
    func `what is no deployment is refused by name`(_ json: JSON, _ name: String) {
        #expect(throws: TokenDeployment.Fault.malformed(name)) { _ = try TokenDeployment(json, .solana) }
    }

    @Test func `a token that isn't one of the chain is refused`() throws {
        let solana = try TokenDeployment(["chain": Self.solana, "tokens": ["USDC": "0x2::usdc::USDC"]], .solana)
        #expect(throws: TokenDeployment.Fault.malformed("tokens/USDC")) {
            _ = try SolanaChain(solana, urls: ["http://127.0.0.1"], http: .loopback())
        }
        let sui = try TokenDeployment(["chain": "sui:mainnet", "tokens": ["USDC": "USDC"]], .sui)
        #expect(throws: TokenDeployment.Fault.malformed("tokens/USDC")) {
            _ = try SuiChain(sui, urls: ["http://127.0.0.1"], http: .loopback())
        }
        #expect(throws: TokenDeployment.Fault.unreadable(path: "/nothing")) {
            _ = try TokenDeployment(path: "/nothing", .sui)
        }
    }
}

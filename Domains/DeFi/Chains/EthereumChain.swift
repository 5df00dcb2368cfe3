import Kernel
import OutboundHTTP
import WalletCrypto

/// A chain that follows Ethereum's rules, as it is followed here.
struct EthereumChain: Sendable {
    /// The asset that gas is paid in.
    static let gasAsset = Asset.eth

    let deployment: Deployment
    private(set) var nodes: EthereumNodes
    /// Blocks from a transaction's own on until it is final.
    let confirmations: Int64
    /// Wei per gas.
    let gasCeiling: BigUInt

    init(deployment: Deployment, nodes: EthereumNodes, confirmations: Int, gasCeilingGwei: Int) {
        precondition(confirmations >= 1, "a transaction that is final before it is in a block")
        (self.deployment, self.nodes, self.confirmations) = (deployment, nodes, Int64(confirmations))
        gasCeiling = BigUInt(UInt64(gasCeilingGwei)) * BigUInt.powerOfTen(9)
    }

    /// Chains by the URLs of their nodes, one or two.
    init(deployment: Deployment, urls: [String], http: HTTPClient, confirmations: Int, gasCeilingGwei: Int) {
        precondition((1...2).contains(urls.count), "a chain has one or two nodes")
        let nodes = urls.map { EthereumNode(rpc: JSONRPC(url: $0, http: http)) }
        self.init(
            deployment: deployment,
            nodes: EthereumNodes(first: nodes[0], second: nodes.count > 1 ? nodes[1] : nil),
            confirmations: confirmations,
            gasCeilingGwei: gasCeilingGwei
        )
    }

    /// The same, whose nodes get calls that wait at the same time in the same requests: for many who each ask for
    /// themselves.
    var gathering: EthereumChain {
        func gathering(_ node: EthereumNode) -> EthereumNode { EthereumNode(rpc: node.rpc.gathering) }
        var chain = self
        chain.nodes = EthereumNodes(first: gathering(nodes.first), second: nodes.second.map(gathering))
        return chain
    }

    /// CAIP-2: `eip155:1`.
    var name: String { deployment.chain }

    /// What to offer for gas now.
    ///
    /// - Throws: 422 `gas_too_expensive`; 503 `chain_unavailable`.
    func gasPrice(_ speed: GasPrice.Speed) async throws(Problem) -> GasPrice {
        let history: FeeHistory
        do throws(NodeError) {
            history = try await nodes.first.feeHistory(
                blocks: GasPrice.historyBlocks,
                percentiles: GasPrice.Speed.allCases.map(\.percentile)
            )
        } catch {
            throw ChainProblem.unavailable(error)
        }
        do throws(GasPrice.TooExpensive) {
            return try GasPrice(history, speed, ceiling: gasCeiling)
        } catch {
            throw Problem(
                422,
                "gas_too_expensive",
                "Gas costs \(error.needed) wei now, and \(error.ceiling) is the most that is offered. Try later."
            )
        }
    }
}

/// What requests get where a chain can't answer.
enum ChainProblem {
    /// 503, to be tried again in some seconds.
    static func unavailable(_ error: NodeError) -> Problem {
        switch error {
        case .disagreement:
            Problem(
                503,
                "chain_disagreement",
                "The nodes of the chain don't say the same now. Try again in a moment.",
                retryAfterSeconds: 5
            )
        case .unreachable, .malformed, .refused:
            Problem(
                503,
                "chain_unavailable",
                "The chain's node doesn't answer now. Try again in a moment.",
                retryAfterSeconds: 5
            )
        }
    }
}

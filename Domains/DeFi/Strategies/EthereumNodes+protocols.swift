import Kernel
import WalletCrypto

/// What protocols say; nothing where the nodes don't say the same (`disagreement`).
extension EthereumNodes {
    /// Whether a protocol says that it stands still for money that goes one way.
    func isPaused(
        _ arguments: CallArguments,
        _ direction: ProtocolDescription.Direction
    ) async throws(NodeError) -> Bool {
        var asked: [(sign: ProtocolDescription.Guard.Sign, view: EthereumNode.View)] = []
        for guarding in arguments.offer.description.guards where guarding.stops.contains(direction) {
            guard let contract = arguments.offer.address(guarding.at),
                let data = try? arguments.callData(guarding.function, guarding.arguments)
            else { continue }
            asked.append((guarding.sign, EthereumNode.View(to: contract, data: data)))
        }
        guard !asked.isEmpty else { return false }
        let said = try await views(asked.map(\.view), at: .latest)
        guard said.disputed.isEmpty else { throw .disagreement("whether a protocol stands still") }
        return zip(asked, said.answers).contains { asked, answer in
            guard let answer, answer.count >= 32 else { return false }
            let word = BigUInt(bigEndian: answer[..<32])
            return switch asked.sign {
            case .notZero: !word.isZero
            case .zero: word.isZero
            case .bit(let place): answer[31 - place / 8] >> (place % 8) & 1 == 1
            }
        }
    }

    /// What a pair's pool says; nil where it says nothing that is a price.
    func price(
        of offer: Deployment.Offer,
        at: EthereumNode.At = .latest
    ) async throws(NodeError) -> PoolPrice? {
        guard case .liquidity(_, let function, _) = offer.description.position, let pool = offer.address(.pool) else {
            return nil
        }
        guard let answer = try await view(EthereumNode.View(to: pool, data: function.selector), at: at),
            answer.count >= 32
        else { return nil }
        return PoolPrice(root: BigUInt(bigEndian: answer[..<32]))
    }

    /// What one token is worth in another's smallest units, by a pair that is offered: wei of a WETH in USDC, say.
    ///
    /// Nil where no pair says so.
    func price(
        of symbol: String,
        in asset: Asset,
        _ deployment: Deployment,
        at: EthereumNode.At
    ) async throws(NodeError) -> PoolPrice? {
        let pair = deployment.offers.first { $0.asset == asset && $0.pair?.symbol == symbol }
        guard let pair else { return nil }
        return try await price(of: pair, at: at)
    }

    /// What a queue wants to know with requests that have come through it.
    func hints(
        of requests: [BigUInt],
        by queue: ProtocolDescription.QueueReader,
        at contract: EthereumAddress
    ) async throws(NodeError) -> [BigUInt] {
        guard let last = try await view(EthereumNode.View(to: contract, data: queue.checkpoints.selector)),
            last.count == 32,
            let data = try? queue.hints.callData([
                .elements(requests.map { .uint($0) }), .uint(.one), .uint(BigUInt(bigEndian: last)),
            ]),
            let answer = try await view(EthereumNode.View(to: contract, data: data)),
            let values = try? ABI.decode(answer, as: [.array(.uint(256), count: nil)]),
            case .elements(let hints)? = values.first, hints.count == requests.count
        else { throw .malformed("hints of the queue") }
        return hints.compactMap {
            guard case .uint(let hint) = $0 else { return nil }
            return hint
        }
    }
}

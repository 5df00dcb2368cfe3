import Kernel
import WalletCrypto

/// What a transaction must still give, by its protocol's own preview, when the user has signed it.
///
/// For protocols whose calls name no least amount (ERC-4626 has no argument for it). It is asked before the transaction
/// is sent, so that what a share is worth can move unseen from there to the block, and no longer.
struct StrategyFloor: Hashable, Sendable {
    /// What the preview is asked about: the amount that goes in, in minor units, or the protocol's units that come out.
    let asked: Int128
    /// What it must answer at least: the protocol's units for a start, the asset's minor units for an exit.
    let least: Int128
}

extension StrategyCalls {
    /// The floor of a call one way, from what the protocol says now; nil where the call itself has one, or needs none.
    ///
    /// - Throws: 422 `amount_out_of_range`, `would_revert`; 503.
    func floor(
        _ direction: ProtocolDescription.Direction,
        of asked: BigUInt,
        in offer: Deployment.Offer
    ) async throws -> StrategyFloor? {
        guard let expected = try await preview(direction, of: asked, in: offer) else { return nil }
        guard let asked = asked.int128, let least = CallArguments.least(expected).int128, least > 0 else {
            throw Problem(422, "amount_out_of_range", "The protocol would give nothing for it that counts.")
        }
        return StrategyFloor(asked: asked, least: least)
    }

    /// Checks what an intent's protocol would give now against its floor.
    ///
    /// - Throws: 422 `slippage_exceeded`, `offer_gone`, `would_revert`; 503.
    func requireFloor(of intent: Intent, for strategy: Strategy) async throws {
        guard let floor = intent.floor else { return }
        let direction: ProtocolDescription.Direction = intent.kind == .start ? .entering : .leaving
        let given = try await preview(direction, of: BigUInt(floor.asked), in: try offer(of: strategy))
        guard let given, given >= BigUInt(floor.least) else {
            throw Problem(
                422,
                "slippage_exceeded",
                """
                It would give \(given?.description ?? "nothing") now, in the smallest units, and was built to give \
                \(floor.least) at least. Nothing was sent. Discard it, and build a new one if you agree.
                """
            )
        }
    }

    private func preview(
        _ direction: ProtocolDescription.Direction,
        of asked: BigUInt,
        in offer: Deployment.Offer
    ) async throws -> BigUInt? {
        guard let previews = offer.description.previews else { return nil }
        let function = direction == .entering ? previews.entering : previews.leaving
        guard let data = try? function.callData([.uint(asked)]) else { throw Self.unsupported }
        let view = EthereumNode.View(to: offer.contract, data: data)
        let answer = try await ask { () async throws(NodeError) in try await chain.nodes.view(view) }
        guard let answer, answer.count >= 32 else {
            throw Problem(422, "would_revert", "The contract doesn't say what it would give. Nothing was sent.")
        }
        return BigUInt(bigEndian: answer[..<32])
    }
}

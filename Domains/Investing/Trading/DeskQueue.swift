import DomainKit
import HTTP
import Kernel

/// The way to the one writer, as whoever places orders sees it.
protocol DeskQueue: Sendable {
    /// Does one thing, in order with everything else.
    ///
    /// - Throws: `WriterElsewhere` where another process writes.
    func submit(_ item: DeskItem) async throws -> DeskOutcome
}

extension TradingDesk: DeskQueue {}

extension DeskQueue {
    /// Does what a client asks for.
    ///
    /// - Throws: what `submit` throws; 422 `idempotency_key_reused`.
    func answer(_ item: DeskItem) async throws -> APIResponse {
        switch try await submit(item) {
        case .answer(let answer): return answer.response
        case .replayed(let answer): return answer.response.with("Idempotent-Replayed", "true")
        case .keyReused: throw Problem.keyReused
        case .ledger, .depth, .done: throw Problem.notFound
        }
    }

    /// The best levels of a book, as of the last batch.
    func depth(of market: Market, levels: Int) async throws -> DepthView {
        guard case .depth(let view) = try await submit(.depth(market: market.id, limit: levels)) else {
            throw Problem.notFound
        }
        return view
    }
}

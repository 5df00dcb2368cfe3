import DomainKit
import HTTP
import Kernel
import Ledger

extension TradingDesk {
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
}

extension DeskRequest {
    /// A client's request for an account, under its key if it has one.
    init(_ request: APIRequest, _ account: TradingAccount) throws(Problem) {
        self.init(
            account: account,
            initiator: try Initiator(request),
            key: request.idempotencyKey == nil ? nil : try request.scopedKey(),
            id: request.id.value
        )
    }
}

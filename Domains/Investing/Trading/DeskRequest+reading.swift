import DomainKit
import HTTP
import Kernel
import Ledger

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

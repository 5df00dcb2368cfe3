import Audit
import DomainKit
import HTTP
import Kernel
import Ledger
import Messaging
import PostgreSQL

/// Moves money between the trading accounts of one user.
struct AccountMoves: Sendable {
    let runtime: DomainRuntime
    let accounts: TradingAccounts
    let ids: IDGenerator

    /// A move as a whole: its only event's aggregate.
    enum Move: Entity {
        static let idPrefix = "amov"
    }

    /// Does what a request with `from`, `to`, `asset` and `amount` asks for, in order with all trading.
    ///
    /// - Throws: 404 `account_not_found`, 422 as the ledger refuses; both are kept under the request's key.
    func move(_ request: APIRequest) async throws -> APIResponse {
        try await idempotently(request, runtime.ledger, ids) {
            try await runtime.ledger.submit(try await item(request)).response()
        }
    }

    private func item(_ request: APIRequest) async throws -> LedgerItem {
        let body = request.body
        guard let asset = body["asset"]?.stringValue.flatMap({ Asset(code: $0) }) else {
            throw Problem.malformed("unknown_asset", in: "/asset")
        }
        let amount = try Money(positive: body["amount"]?.stringValue ?? "", asset, at: "/amount")
        let (from, to) = (try await account(request, "from"), try await account(request, "to"))
        guard from.id != to.id else {
            throw Problem(422, "same_account", "Source and destination are the same.")
        }
        let transfer = NewTransfer(
            id: ids.next(),
            debit: try await runtime.accounts.open(AccountKey(from.user, from.ledgerKind, asset)),
            credit: try await runtime.accounts.open(AccountKey(to.user, to.ledgerKind, asset)),
            amount: amount.minorUnits,
            code: "account_move"
        )
        let move: ID<Move> = ids.next()
        let initiator = try Initiator(request)
        let answer: JSON = [
            "id": .string(move.wire), "from": .string(from.kind.rawValue), "to": .string(to.kind.rawValue),
            "asset": .string(asset.code), "amount": .string(amount.wire),
        ]
        let told = told(move, answer, by: initiator)
        return LedgerItem(
            operation: move.cast(),
            commands: [.transfer(transfer)],
            idempotency: try request.scopedKey()
        ) { decision, _ in
            switch decision {
            case .failure(let refusal):
                return LedgerItem.Finish(answer: StoredAnswer(.problem(refusal.problem(in: asset), to: request.id)))
            case .success(let receipt):
                let response = APIResponse(status: 201, body: .json(answer))
                return LedgerItem.Finish(rows: told(receipt), answer: StoredAnswer(response))
            }
        }
    }

    /// The audit entry and the event of a move that is done.
    private func told(
        _ move: ID<Move>,
        _ answer: JSON,
        by initiator: Initiator
    ) -> @Sendable (LedgerCore.Receipt) -> [any StoredRow] {
        let (audit, event): (ID<AuditEntry>, ID<OutboxEvent>) = (ids.next(), ids.next())
        return { receipt in
            [
                AuditEntry(
                    id: audit,
                    actor: initiator.actor,
                    action: "trading_account.move",
                    entity: "account_move",
                    entityID: move.value,
                    after: answer,
                    ip: initiator.ip,
                    userAgent: initiator.userAgent,
                    session: initiator.session,
                    correlation: initiator.correlation
                ),
                OutboxEvent(
                    id: event,
                    aggregateType: "account_move",
                    aggregate: move,
                    version: 1,
                    type: "investing.account_move.completed",
                    payload: ["move": answer, "balances": BalanceSnapshot.json(receipt)],
                    correlation: initiator.correlation,
                    traceparent: initiator.traceparent
                ),
            ]
        }
    }

    private func account(_ request: APIRequest, _ member: String) async throws -> TradingAccount {
        let kind = request.body[member]?.stringValue.flatMap { TradingAccount.Kind(rawValue: $0) } ?? .brokerage
        return try await accounts.account(of: try request.requirePrincipal().user, kind)
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: Move.self)), .required("from", .oneOf(TradingAccount.Kind.self)),
            .required("to", .oneOf(TradingAccount.Kind.self)), .required("asset", .asset),
            .required("amount", .anyString),
        ],
        named: "AccountMove"
    )
}

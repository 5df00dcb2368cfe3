import DomainKit
import HTTP
import Kernel
import Ledger
import Messaging

/// Money that goes from one trading account of a user to another.
struct AccountMove: Sendable, Entity {
    static let idPrefix = "amov"

    /// One of the two.
    struct Place: Sendable {
        let account: ID<TradingAccount>
        let kind: TradingAccount.Kind
        let balance: ID<LedgerAccount>
    }

    let id: ID<AccountMove>
    let from: Place
    let to: Place
    let amount: Money

    var json: JSON {
        [
            "id": .string(id.wire), "from": .string(from.kind.rawValue), "to": .string(to.kind.rawValue),
            "asset": .string(amount.asset.code), "amount": .string(amount.wire),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: AccountMove.self)), .required("from", .oneOf(TradingAccount.Kind.self)),
            .required("to", .oneOf(TradingAccount.Kind.self)), .required("asset", .asset),
            .required("amount", .anyString),
        ],
        named: "AccountMove"
    )
}

/// Reads what is to be moved between the trading accounts of one user.
struct AccountMoves: Sendable {
    let desk: TradingDesk
    let balances: LedgerAccounts
    let accounts: TradingAccounts
    let ids: IDGenerator

    /// Does what a request with `from`, `to`, `asset` and `amount` asks for, in order with all trading.
    ///
    /// - Throws: 404 `account_not_found`, 422 `same_account`; what the ledger refuses is kept under the request's key.
    func move(_ request: APIRequest) async throws -> APIResponse {
        let body = request.body
        guard let asset = body["asset"]?.stringValue.flatMap({ Asset(code: $0) }) else {
            throw Problem.malformed("unknown_asset", in: "/asset")
        }
        let amount = try Money(positive: body["amount"]?.stringValue ?? "", asset, at: "/amount")
        let (from, to) = (try await account(request, "from"), try await account(request, "to"))
        guard from.id != to.id else {
            throw Problem(422, "same_account", "Source and destination are the same.")
        }
        let places = (try await place(from, asset), try await place(to, asset))
        let move = AccountMove(id: ids.next(), from: places.0, to: places.1, amount: amount)
        return try await desk.answer(.move(move, try DeskRequest(request, from)))
    }

    private func place(_ account: TradingAccount, _ asset: Asset) async throws -> AccountMove.Place {
        let balance = try await balances.open(AccountKey(account.user, account.ledgerKind, asset))
        return AccountMove.Place(account: account.id, kind: account.kind, balance: balance)
    }

    private func account(_ request: APIRequest, _ member: String) async throws -> TradingAccount {
        let kind = request.body[member]?.stringValue.flatMap { TradingAccount.Kind(rawValue: $0) } ?? .brokerage
        return try await accounts.account(of: try request.requirePrincipal().user, kind)
    }
}

// What becomes of money that is moved, and of what it cost.
extension DeskBatch {
    /// Moves money between two accounts; what is known of its cost goes along.
    ///
    /// - Throws: what the ledger refuses.
    mutating func carryOut(_ move: AccountMove, _ request: DeskRequest) throws(Problem) -> APIResponse {
        let asset = move.amount.asset
        let transfer = NewTransfer(
            id: ids.next(),
            debit: move.from.balance,
            credit: move.to.balance,
            amount: move.amount.minorUnits,
            code: "account_move"
        )
        let receipt: LedgerCore.Receipt
        switch state.ledger.apply([.transfer(transfer)], of: move.id.cast()) {
        case .failure(let refusal): throw refusal.problem(in: asset)
        case .success(let done): receipt = done
        }
        for market in state.floors.keys.sorted() where state.floors[market]?.market.base == asset {
            carryCost(
                market,
                from: (move.from.account, move.from.balance),
                to: (move.to.account, move.to.balance)
            )
        }
        audit("trading_account.move", of: "account_move", move.id.value, request.initiator, move.json)
        rows.append(
            OutboxEvent(
                id: ids.next(),
                aggregateType: "account_move",
                aggregate: move.id,
                version: 1,
                type: "investing.account_move.completed",
                payload: ["move": move.json, "balances": BalanceSnapshot.json(receipt)],
                correlation: request.initiator.correlation,
                traceparent: request.initiator.traceparent
            )
        )
        return APIResponse(status: 201, body: .json(move.json))
    }
}

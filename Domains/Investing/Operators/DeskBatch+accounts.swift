import DomainKit
import Kernel
import Messaging

// Which accounts take orders, as operators decide it.
extension DeskBatch {
    /// Gives an account another status or flag; from here on the writer knows, whichever process an order comes to.
    ///
    /// - Throws: 422 for what is no account or status; 409 `orders_open` where one with open orders is to be closed.
    mutating func changeAccount(_ command: OperatorCommand, _ initiator: Initiator) throws(Problem) -> JSON {
        guard let id = ID<TradingAccount>(wire: try command.require("account")) else {
            throw Problem(422, "no_account_id", "This is no account's id; they look like tacc_….")
        }
        guard let status = TradingAccount.Status(rawValue: try command.require("status")) else {
            let names = TradingAccount.Status.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(422, "unknown_status", "An account is one of: \(names).")
        }
        if status == .closed, state.live.values.contains(where: { $0.order.account == id || $0.told == id }) {
            throw Problem(409, "orders_open", "The account has open orders. Restrict it and cancel them first.")
        }
        let isMarginEnabled = command.parameters["margin_enabled"]?.boolValue ?? false
        state.standings[id] = status == .open ? nil : status
        rows.append(AccountStandingRow(account: id, status: status, isMarginEnabled: isMarginEnabled))
        let after: JSON = [
            "account": .string(id.wire), "status": .string(status.rawValue),
            "margin_enabled": .bool(isMarginEnabled), "reason": .string(command.text("reason") ?? ""),
        ]
        let before = command.parameters["before"] ?? .null
        audit("trading_account.standing", of: "trading_account", id.value, initiator, before: before, after)
        rows.append(
            OutboxEvent(
                id: ids.next(),
                aggregateType: "account_standing",
                aggregate: command.id,
                version: 1,
                type: "investing.account.changed",
                payload: after
            )
        )
        return after
    }
}

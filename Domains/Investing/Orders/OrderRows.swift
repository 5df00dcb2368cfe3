import Kernel
import Ledger
import MatchingEngine
import PostgreSQL

/// An order's first row, as it is at the end of the batch that took it in.
struct NewOrderRow: StoredRow {
    let order: Order

    static func store(_ rows: [NewOrderRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let new = rows.map(\.order)
        return [
            """
            insert into \(schema).orders (id, account, market, client_order_id, list, side, type, time_in_force,
                is_post_only, self_trade_prevention, price, bound, stop_price, quantity, quote_amount, expires_at,
                status, is_triggered, reason, remaining, traded, quote_traded, fee_accrued, fee, maker_rate, taker_rate,
                fee_schedules, reservation, number, priority, replaces, replaced_by, version, created_at, updated_at,
                ended_at)
            select * from unnest(\(new.map(\.id)), \(new.map(\.account)), \(new.map(\.market)), \(new.map(\.clientID)),
                \(new.map(\.list)), \(new.map(\.side.name)), \(new.map(\.type.name)), \(new.map(\.timeInForce.name)),
                \(new.map(\.isPostOnly)), \(new.map(\.selfTradePrevention.name)), \(new.map(\.price)),
                \(new.map(\.bound)), \(new.map(\.stopPrice)), \(new.map(\.quantity)), \(new.map(\.quoteAmount)),
                \(new.map(\.expiresAt)), \(new.map(\.status.rawValue)), \(new.map(\.isTriggered)),
                \(new.map(\.reason)), \(new.map(\.remaining)), \(new.map(\.traded)), \(new.map(\.quoteTraded)),
                \(new.map(\.fee.accrued)), \(new.map(\.fee.charged)), \(new.map(\.rates.maker)),
                \(new.map(\.rates.taker)), \(new.map(\.rates.schedules)), \(new.map(\.reservation)),
                \(new.map(\.number)), \(new.map(\.priority)), \(new.map(\.replaces)), \(new.map(\.replacedBy)),
                \(new.map(\.version)), \(new.map(\.createdAt)), \(new.map(\.updatedAt)), \(new.map(\.endedAt)))
            returning 1
            """
        ]
    }
}

/// An order's next version; stored only on top of the one before it.
struct OrderChangeRow: StoredRow {
    let order: Order

    static func store(_ rows: [OrderChangeRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        let changed = rows.map(\.order)
        return [
            """
            update \(schema).orders o
            set price = n.price, quantity = n.quantity, status = n.status, is_triggered = n.is_triggered,
                reason = n.reason, remaining = n.remaining, traded = n.traded, quote_traded = n.quote_traded,
                fee_accrued = n.fee_accrued, fee = n.fee, priority = n.priority, replaced_by = n.replaced_by,
                version = n.version, updated_at = \(instant), ended_at = n.ended_at
            from unnest(\(changed.map(\.id)), \(changed.map(\.price)), \(changed.map(\.quantity)),
                \(changed.map(\.status.rawValue)), \(changed.map(\.isTriggered)), \(changed.map(\.reason)),
                \(changed.map(\.remaining)), \(changed.map(\.traded)), \(changed.map(\.quoteTraded)),
                \(changed.map(\.fee.accrued)), \(changed.map(\.fee.charged)), \(changed.map(\.priority)),
                \(changed.map(\.replacedBy)), \(changed.map(\.version)), \(changed.map(\.endedAt)))
                as n(id, price, quantity, status, is_triggered, reason, remaining, traded, quote_traded, fee_accrued,
                    fee, priority, replaced_by, version, ended_at)
            where o.id = n.id and o.version = n.version - 1
            returning 1
            """
        ]
    }
}

/// A client's own id of an order, taken, with the answer that the order got.
struct ClientOrderIDRow: StoredRow {
    let account: ID<TradingAccount>
    let clientID: String
    let taken: DeskBatch.TakenOrder
    /// When the order ended, if the batch that took it in ended it.
    let endedAt: Timestamp?

    /// Nil for an order without such an id.
    init?(order: Order, taken: DeskBatch.TakenOrder) {
        guard let clientID = order.clientID else { return nil }
        (account, self.clientID, self.taken, endedAt) = (order.account, clientID, taken, order.endedAt)
    }

    static func store(_ rows: [ClientOrderIDRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        // What is forgotten may still be there, since it is purged in its own time.
        [
            """
            insert into \(schema).client_order_ids as c (account, client_order_id, request, order_id, status, location,
                answer, ended_at)
            select * from unnest(\(rows.map(\.account)), \(rows.map(\.clientID)), \(rows.map(\.taken.request)),
                \(rows.map(\.taken.order)), \(rows.map(\.taken.answer.status)),
                \(rows.map { $0.taken.answer.headers["Location"] ?? "" }),
                \(rows.map { Bytes($0.taken.answer.body) }), \(rows.map(\.endedAt)))
            on conflict (account, client_order_id) do update
            set request = excluded.request, order_id = excluded.order_id, status = excluded.status,
                location = excluded.location, answer = excluded.answer, ended_at = excluded.ended_at
            where c.ended_at <= \(ClientOrderIDs.forgotten(at: instant))
            returning 1
            """
        ]
    }
}

/// From here on a client's id counts the hours until it is forgotten.
struct ClientOrderIDEndRow: StoredRow {
    let account: ID<TradingAccount>
    let clientID: String

    static func store(_ rows: [ClientOrderIDEndRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).client_order_ids c set ended_at = \(instant)
            from unnest(\(rows.map(\.account)), \(rows.map(\.clientID))) as n(account, client_order_id)
            where c.account = n.account and c.client_order_id = n.client_order_id
            returning 1
            """
        ]
    }
}

/// Reads orders.
enum OrderRow {
    /// What `read` reads, in that order; nothing may stand in front of it.
    static let columns: SQL = """
        o.side, o.type, o.time_in_force, o.self_trade_prevention, o.status, o.id, o.account, o.market,
            o.client_order_id, o.list, o.is_post_only, o.maker_rate, o.taker_rate, o.fee_schedules, o.price, o.bound,
            o.stop_price, o.quantity, o.quote_amount, o.expires_at, o.reservation, o.replaces, o.created_at,
            o.remaining, o.updated_at, o.is_triggered, o.reason, o.traded, o.quote_traded, o.fee_accrued, o.fee,
            o.number, o.priority, o.replaced_by, o.version, o.ended_at
        """

    /// The schedules of fees that orders name, by how they are stored: few different ones, which many orders share.
    struct Schedules {
        /// Different ones that are remembered; beyond it the memory is emptied.
        private static let knownMax = 1_000

        private var known: [String: JSON] = [:]

        mutating func json(_ text: String) throws -> JSON {
            if let json = known[text] { return json }
            if known.count >= Schedules.knownMax { known = [:] }
            let json = try JSON.parse(Array(text.utf8))
            known[text] = json
            return json
        }
    }

    static func read(_ row: Row) throws -> Order {
        var schedules = Schedules()
        return try read(row, sharing: &schedules)
    }

    static func read(_ row: Row, sharing known: inout Schedules) throws -> Order {
        var values = row.values
        guard let side = Side(name: try values.next()), let type = OrderType(name: try values.next()),
            let timeInForce = TimeInForce(name: try values.next()),
            let prevention = SelfTradePrevention(name: try values.next()),
            let status = Order.Status(rawValue: try values.next())
        else { throw InvestingFault.unknownName(table: "orders") }
        var order = Order(
            id: try values.next(),
            account: try values.next(),
            market: try values.next(),
            clientID: try values.next(),
            list: try values.next(),
            side: side,
            type: type,
            timeInForce: timeInForce,
            isPostOnly: try values.next(),
            selfTradePrevention: prevention,
            rates: TradingRates(
                maker: try values.next(),
                taker: try values.next(),
                schedules: try known.json(try values.next())
            ),
            price: try values.next(),
            bound: try values.next(),
            stopPrice: try values.next(),
            quantity: try values.next(),
            quoteAmount: try values.next(),
            expiresAt: try values.next(),
            reservation: try values.next(),
            replaces: try values.next(),
            createdAt: try values.next(),
            remaining: try values.next(),
            updatedAt: try values.next()
        )
        order.status = status
        (order.isTriggered, order.reason) = (try values.next(), try values.next())
        (order.traded, order.quoteTraded) = (try values.next(), try values.next())
        order.fee = FillFee(accrued: try values.next(), charged: try values.next())
        (order.number, order.priority) = (try values.next(), try values.next())
        order.replacedBy = try values.next()
        (order.version, order.endedAt) = (try values.next(), try values.next())
        return order
    }
}

/// Something that can't be in a sound schema.
enum InvestingFault: Error {
    /// A row has a name that the program doesn't know.
    case unknownName(table: String)
    /// A row names a market or an account that isn't there.
    case missing(String)
}

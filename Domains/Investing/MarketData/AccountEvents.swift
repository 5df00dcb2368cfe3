import HTTP
import Kernel
import PostgreSQL

/// What accounts were told of their orders, by number: for whoever missed some of it on the `orders` channel.
struct AccountEvents: Sendable {
    private static let eventsMax = 1_000
    private static let eventsDefault = 100

    let schema: Schema
    let pool: Pool
    let accounts: TradingAccounts

    var routes: [Route] { [list] }

    /// An account's events after a number, in their order.
    ///
    /// Those of the last two weeks are kept; what is older left its traces in the orders.
    func events(of account: ID<TradingAccount>, after sequence: Int64, limit: Int) async throws -> [JSON] {
        let rows = try await pool.query(
            """
            select e.version, e.recorded_at, e.payload from \(schema).outbox_events e
            where e.aggregate_id = \(account) and e.aggregate_type = 'trading_account' and e.version > \(sequence)
            order by e.version limit \(limit)
            """
        )
        return try rows.map { row in
            let (version, at, payload): (Int64, Timestamp, JSON) = (
                try row["version"], try row["recorded_at"], try row["payload"]
            )
            return [
                "sequence": .integer(version), "at": .string(at.description), "order": payload["order"] ?? .null,
                "statuses": payload["statuses"] ?? .array([]), "fills": payload["fills"] ?? .array([]),
            ]
        }
    }

    private var list: Route {
        Route(
            .get,
            "/v1/investing/accounts/events",
            operationID: "listAccountEvents",
            summary: "Read an account's order events again, in their order",
            description: """
                What the personal channel `orders` says, by the same numbers, which have no gap. Kept for two weeks.
                """,
            tag: "Orders",
            access: .permission("investing:read"),
            parameters: [
                .query("after", .integer(0...(1 << 53)), "The last number that is known; 0 unless given."),
                .query(
                    "limit",
                    .integer(1...AccountEvents.eventsMax),
                    "How many; \(AccountEvents.eventsDefault) unless given."
                ), OrderRoutes.account,
            ],
            responses: [200: ResponseShape("The events.", AccountEvents.listSchema)],
            problems: [404: ["account_not_found"]]
        ) { request in
            let kind = request.text("account").flatMap { TradingAccount.Kind(rawValue: $0) } ?? .brokerage
            let account = try await accounts.account(of: try request.requirePrincipal().user, kind)
            let events = try await events(
                of: account.id,
                after: Int64(request.integer("after") ?? 0),
                limit: request.integer("limit") ?? AccountEvents.eventsDefault
            )
            return .ok(["data": .array(events)])
        }
    }

    private static let listSchema = JSONSchema.object(
        [
            .required(
                "data",
                .array(
                    of: .object([
                        .required("sequence", .integer(1...Int.max)), .required("at", .instant),
                        .required("order", Order.schema),
                        .required(
                            "statuses",
                            .array(of: .oneOf(Order.Status.self), count: 0...Order.Status.allCases.count),
                            "Those that it came to, in their order; none where it only changed."
                        ), .required("fills", .array(of: .any, count: 0...100_000)),
                    ]),
                    count: 0...eventsMax
                )
            )
        ],
        named: "AccountEventList"
    )
}

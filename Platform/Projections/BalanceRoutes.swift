import HTTP
import Kernel
import PostgreSQL

/// A customer's balances in all domains.
struct BalanceRoutes: Sendable {
    /// Accounts of one customer that are answered at most.
    private static let accountsMax = 1_000

    let schema: Schema
    let pool: Pool
    let watch: ProjectionWatch

    var list: Route {
        Route(
            .get,
            "/v1/balances",
            operationID: "listBalances",
            summary: "List balances in all domains",
            description: """
                Put together from what the domains tell, shortly after they tell it: `domains` says up to which \
                instant each one is complete. A domain's own balances are those of the moment.
                """,
            tag: "Balances",
            access: .permission("balances:read"),
            responses: [200: ResponseShape("The balances.", BalanceRoutes.list)]
        ) { request in
            let user = try request.requirePrincipal().user
            let rows = try await pool.query(
                """
                select domain, kind, asset, available, reserved, staked, as_of
                from \(schema).user_balances
                where user_id = \(user)
                order by domain, kind, asset
                limit \(BalanceRoutes.accountsMax)
                """
            )
            let domains: [JSON] = watch.asOf.sorted { $0.key < $1.key }.map { domain, instant in
                ["domain": .string(domain), "as_of": .string(instant.description)]
            }
            return .ok(["data": .array(try rows.map(BalanceRoutes.json)), "domains": .array(domains)])
        }
    }

    private static func json(_ row: Row) throws -> JSON {
        let code: String = try row["asset"]
        guard let asset = Asset(code: code) else { throw UnknownAsset(code: code) }
        let (available, reserved): (Int128, Int128) = (try row["available"], try row["reserved"])
        let staked: Int128 = try row["staked"]
        func wire(_ minorUnits: Int128) -> JSON { .string(Money(minorUnits: minorUnits, asset).wire) }
        let (domain, kind, asOf): (String, String, Timestamp) = (try row["domain"], try row["kind"], try row["as_of"])
        return [
            "domain": .string(domain), "account": .string(kind), "asset": .string(code), "available": wire(available),
            "reserved": wire(reserved), "staked": wire(staked), "total": wire(available + reserved + staked),
            "as_of": .string(asOf.description),
        ]
    }

    private struct UnknownAsset: Error { let code: String }

    private static let list = JSONSchema.object(
        [
            .required(
                "data",
                .array(
                    of: .object(
                        [
                            .required("domain", .anyString), .required("account", .anyString, "What it is: `trading`."),
                            .required("asset", .asset), .required("available", .anyString, "What may be spent."),
                            .required("reserved", .anyString, "What is held for something under way."),
                            .required("staked", .anyString, "What works elsewhere and can be taken back."),
                            .required("total", .anyString, "The three together."),
                            .required("as_of", .instant, "Since when it is so."),
                        ],
                        named: "DomainBalance"
                    ),
                    count: 0...accountsMax
                )
            ),
            .required(
                "domains",
                .array(
                    of: .object(
                        [
                            .required("domain", .anyString),
                            .required("as_of", .instant, "Everything before this instant is in the balances."),
                        ],
                        named: "DomainAge"
                    ),
                    count: 0...64
                ),
                "How far each domain's balances have come."
            ),
        ],
        named: "AllBalances"
    )
}

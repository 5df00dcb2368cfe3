import DomainKit
import HTTP
import Kernel
import Ledger

/// Sending money to another domain, and looking where it is.
struct TransferRoutes: Sendable {
    let domain: String
    let others: [String]
    let sending: TransferSending
    let transfers: Transfers
    let cursors: CursorSigner

    var routes: [Route] { [send, list, get] }

    private var send: Route {
        Route(
            .post,
            PathTemplate("/v1/\(domain)/transfers"),
            operationID: "create\(title)Transfer",
            summary: "Move money to another domain",
            description: """
                The money leaves at once and is `in_transit` until the other domain has answered: `completed`, or \
                `returned` with the fees when it can't take it. With the status `in_review` it is held first, and \
                leaves, or is `failed` and yours to use again, when it has been looked at.
                """,
            tag: "Transfers",
            access: .permission(Permission("\(domain):move")),
            isIdempotent: true,
            body: .json(body),
            responses: [
                202: ResponseShape(
                    "The money is on its way, or held for a while.",
                    DomainTransfer.schema,
                    headers: [.location, .replayed],
                    links: [.init(to: "get\(title)Transfer", parameter: "id", from: "/id")]
                )
            ],
            problems: [
                403: ["user_not_active"],
                422: [
                    "insufficient_funds", "limit_exceeded", "account_frozen", "identification_required", "level_limit",
                    "movement_refused", "no_fee_schedule", "asset_not_supported", "idempotency_key_reused",
                ],
                503: ["checks_unavailable"],
            ]
        ) { request in
            let order = try order(request)
            return try await idempotently(request, sending.ledger, sending.journal.ids) {
                try await sending.send(order, request)
            }
        }
    }

    private var list: Route {
        Route(
            .get,
            PathTemplate("/v1/\(domain)/transfers"),
            operationID: "list\(title)Transfers",
            summary: "List transfers between domains",
            description: "Newest first: what left this domain and what reached it.",
            tag: "Transfers",
            access: .permission(Permission("\(domain):read")),
            parameters: Parameter.paging + [
                .query("status", .oneOf(DomainTransfer.State.shownNames), "Only in that status."),
                .query("direction", .oneOf(DomainTransfer.Direction.self), "Only those that go out or come in."),
                .query("other", .oneOf(others), "Only to or from that domain."),
                .query("asset", .asset, "Only of that asset."),
                .query("from", .instant, "Created at or after."),
                .query("to", .instant, "Created before."),
            ],
            responses: [
                200: ResponseShape(
                    "A page.",
                    .page(of: DomainTransfer.schema, named: "TransferPage"),
                    headers: [.link]
                )
            ],
            problems: [422: ["bad_cursor"]]
        ) { request in
            let page = try Page(request, signer: cursors)
            let filter = TransferFilter(
                status: request.text("status"),
                direction: request.text("direction").flatMap { DomainTransfer.Direction(rawValue: $0) },
                other: request.text("other"),
                asset: request.text("asset"),
                from: request.text("from").flatMap { Timestamp($0) },
                to: request.text("to").flatMap { Timestamp($0) }
            )
            let entries = try await transfers.list(of: try request.requirePrincipal().user, filter, page)
            return page.response(
                entries,
                position: { Cursor(instant: $0.createdAt, id: $0.id.value) },
                encode: { $0.json(in: domain, recordID: sending.book.recordID(of: $0.id)) }
            )
        }
    }

    private var get: Route {
        Route(
            .get,
            PathTemplate("/v1/\(domain)/transfers/{id}"),
            operationID: "get\(title)Transfer",
            summary: "Read a transfer",
            tag: "Transfers",
            access: .permission(Permission("\(domain):read")),
            parameters: [.path("id", .id(of: DomainTransfer.self), "The transfer.")],
            responses: [200: ResponseShape("The transfer.", DomainTransfer.schema, headers: [.etag])]
        ) { request in
            let transfer = try await transfers.get(try request.id("id"), of: try request.requirePrincipal().user)
            return .ok(transfer.json(in: domain, recordID: sending.book.recordID(of: transfer.id)))
                .tagged(EntityTag(version: transfer.version))
        }
    }

    private func order(_ request: APIRequest) throws(Problem) -> TransferOrder {
        let body = request.body
        guard let asset = body["asset"]?.stringValue.flatMap({ Asset(code: $0) }) else {
            throw Problem.malformed("unknown_asset", in: "/asset")
        }
        let amount: Money
        do {
            amount = try Money(wire: body["amount"]?.stringValue ?? "", asset)
        } catch {
            throw Problem.malformed(error.rawValue, in: "/amount")
        }
        guard amount.minorUnits > 0 else { throw Problem.malformed("not_positive", in: "/amount") }
        let user = try request.requirePrincipal().user
        return TransferOrder(user: user, amount: amount, other: body["to"]?.stringValue ?? "")
    }

    private var body: JSONSchema {
        .object(
            [
                .required("amount", .positiveAmount, "What arrives; fees come on top."),
                .required("asset", .asset),
                .required("to", .oneOf(others), "The domain that it goes to."),
            ],
            named: "New\(title)Transfer"
        )
    }

    // `banking` as part of an operation's name: `createBankingTransfer`.
    private var title: String { domain.prefix(1).uppercased() + domain.dropFirst() }
}

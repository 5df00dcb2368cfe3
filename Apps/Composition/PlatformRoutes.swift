import Fees
import HTTP
import Identity
import Kernel

/// What is asked of the platform itself rather than of a domain.
struct PlatformRoutes: Sendable {
    let program: Program

    var routes: [Route] { [quote] }

    private var quote: Route {
        Route(
            .post,
            "/v1/fees/quote",
            operationID: "quoteFees",
            summary: "Ask what an operation would cost",
            tag: "Fees",
            access: .permission("fees:quote"),
            body: .json(PlatformRoutes.body),
            responses: [200: ResponseShape("The quote.", PlatformRoutes.quoteSchema)],
            problems: [422: ["no_fee_schedule", "fees_exceed_amount"]]
        ) { request in
            guard let asset = request.body["asset"]?.stringValue.flatMap({ Asset(code: $0) }) else {
                throw Problem.malformed("unknown_asset", in: "/asset")
            }
            let amount = try Money(positive: request.body["amount"]?.stringValue ?? "", asset, at: "/amount")
            let profile = try await program.identity.directory.profile(try request.requirePrincipal().user)
            let context = FeeContext(
                amount: amount,
                tier: profile.flatMap { FeeTier(rawValue: $0.feeTier) } ?? .tier1,
                provider: request.body["provider"]?.stringValue
            )
            let quote = try await program.fees.current().quote(
                request.body["operation"]?.stringValue ?? "",
                context,
                id: program.ids.next(),
                at: request.now
            )
            return .ok([
                "id": .string(quote.id.wire), "operation": .string(quote.operation), "asset": .string(asset.code),
                "amount": .string(amount.wire), "total": .string(quote.total.wire),
                "lines": .array(quote.lines.map(\.json)),
                "expires_at": .string(quote.expiresAt.description),
            ])
        }
    }

    private static let body = JSONSchema.object(
        [
            .required(
                "operation",
                .oneOf([
                    "banking.deposit.card", "banking.deposit.wire", "banking.payment", "banking.withdrawal",
                    "banking.transfer",
                ])
            ),
            .required("asset", .asset),
            .required("amount", .positiveAmount),
            .optional("provider", .oneOf(["sandbox", "stripe", "moonpay", "ramp"])),
        ],
        named: "NewFeeQuote"
    )

    private static let quoteSchema = JSONSchema.object(
        [
            .required("id", .anyString), .required("operation", .anyString), .required("asset", .asset),
            .required("amount", .amount), .required("total", .amount),
            .required(
                "lines",
                .array(of: .any, count: 0...100),
                "Each line with rule, version, base, rate, raw and rounded amount."
            ),
            .required("expires_at", .instant),
        ],
        named: "FeeQuote"
    )
}

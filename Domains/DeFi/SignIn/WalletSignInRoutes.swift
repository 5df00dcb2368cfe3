import HTTP
import Identity
import Kernel

/// Signing in by a wallet.
struct WalletSignInRoutes: Sendable {
    let signIn: WalletSignIn

    var routes: [Route] { [challenge, begin] }

    private static let limit = RateLimitClass("wallet-sign-in", quota: 60, windowSeconds: 60, scope: .address)

    private var challenge: Route {
        Route(
            .post,
            "/v1/defi/sign-in/challenges",
            operationID: "challengeWalletSignIn",
            summary: "Ask for what a wallet signs to sign in",
            description: "Answered for any account, so that it doesn't tell whether the account is linked.",
            tag: WalletRoutes.tag,
            access: .public,
            body: .json(Self.body),
            responses: [201: ResponseShape("The challenge.", Challenge.schema)],
            problems: [422: ["unknown_network", "address_invalid", "form_not_possible"]],
            rateLimit: Self.limit
        ) { request in
            let form = request.body["form"]?.stringValue.flatMap(Challenge.Form.init) ?? .text
            let challenge = try await signIn.challenge(request.body["account"]?.stringValue ?? "", form)
            return APIResponse(status: 201, body: .json(challenge.json))
        }
    }

    private var begin: Route {
        Route(
            .post,
            "/v1/defi/sign-in",
            operationID: "signInWithWallet",
            summary: "Begin a session by a linked wallet",
            tag: WalletRoutes.tag,
            access: .public,
            body: .json(ChallengeRoutes.proof(named: "WalletSignIn")),
            responses: [200: ResponseShape("The tokens.", SessionTokens.schema)],
            problems: ChallengeRoutes.problems([], [])
                .merging([401: ["wallet_not_linked"], 403: ["user_not_active"]]) { first, _ in first },
            rateLimit: Self.limit
        ) { request in
            let (challenge, signature) = try ChallengeRoutes.proof(in: request)
            return .ok(try await signIn.begin(challenge, signature, request).json)
        }
    }

    private static let body = JSONSchema.object(
        [
            .required("account", .string(.account), "The wallet's account (CAIP-10)."),
            .optional("form", .oneOf(Challenge.Form.self), "`text` unless given; `typed_data` on Ethereum only."),
        ],
        named: "NewWalletSignIn"
    )
}

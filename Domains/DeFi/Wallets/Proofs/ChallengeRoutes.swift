import DomainKit
import HTTP
import Kernel
import WalletCrypto

/// Proving that a wallet is one's own.
struct ChallengeRoutes: Sendable {
    let wallets: Wallets
    let verification: WalletVerification

    var routes: [Route] { [challenge, verify] }

    /// Challenges and proofs of one user: each costs rows and a check of a signature.
    static let limit = RateLimitClass("wallet-proof", quota: 120, windowSeconds: 60)

    private var challenge: Route {
        Route(
            .post,
            "/v1/defi/wallets/challenges",
            operationID: "challengeWallet",
            summary: "Ask for what a wallet has to sign",
            description: """
                The message counts once and for ten minutes. Sign it as it stands, to the last byte: BIP-322 or \
                BIP-137 on Bitcoin, `personal_sign` or `eth_signTypedData_v4` on Ethereum, a message (raw, or in its \
                off-chain envelope) on Solana, a personal message on Sui.
                """,
            tag: WalletRoutes.tag,
            access: .permission("defi:move"),
            body: .json(Self.body),
            responses: [201: ResponseShape("The challenge.", Challenge.schema)],
            problems: [
                409: ["wallet_revoked", "wallet_verified", "wallet_claimed", "primary_exists"],
                422: ["wallet_not_provable", "form_not_possible"], 429: ["too_many_challenges"],
            ],
            rateLimit: Self.limit
        ) { request in
            guard let id = request.body["wallet"]?.stringValue.flatMap({ ID<Wallet>(wire: $0) }) else {
                throw Problem.notFound
            }
            let wallet = try await wallets.get(id, of: try request.requirePrincipal().user)
            let form = request.body["form"]?.stringValue.flatMap(Challenge.Form.init) ?? .text
            let challenge = try await verification.challenge(wallet, form)
            return APIResponse(status: 201, body: .json(challenge.json))
        }
    }

    private var verify: Route {
        Route(
            .post,
            "/v1/defi/wallets/{id}/verify",
            operationID: "verifyWallet",
            summary: "Prove that a wallet is yours",
            description: """
                The challenge is used up by it, whatever comes of it. The wallet can sign its user in from then on, so \
                that whoever has a second factor proves it first, and no key of a program does it.
                """,
            tag: WalletRoutes.tag,
            access: .permission("defi:move"),
            parameters: [WalletRoutes.id],
            body: .json(Self.proof(named: "WalletProof")),
            responses: [200: ResponseShape("The wallet, proven.", Wallet.schema, headers: [.etag])],
            problems: Self.problems(
                [
                    "wallet_revoked", "wallet_verified", "wallet_claimed", "primary_exists", "wallet_changed",
                ],
                ["wallet_not_provable", "address_blocked", "address_in_review"]
            )
            .merging([403: ["step_up_required"]]) { $0 + $1 },
            rateLimit: Self.limit
        ) { request in
            let principal = try request.requirePrincipal()
            try Self.requirePerson(principal, at: request.now)
            let wallet = try await wallets.get(try request.id("id"), of: principal.user)
            let (challenge, signature) = try Self.proof(in: request)
            let verified = try await verification.verify(wallet, by: challenge, signature, try Initiator(request))
            return .ok(verified.json()).tagged(verified.tag)
        }
    }

    /// Makes sure that a person asks, who has proven a second factor lately if there is one.
    private static func requirePerson(_ principal: Principal, at now: Timestamp) throws(Problem) {
        switch principal.assurance {
        case .signature: throw .forbidden
        case .secondFactorDue: throw .stepUpRequired
        case .secondFactor(let until) where until <= now: throw .stepUpRequired
        case .secondFactor, .password: return
        }
    }

    /// What every submission of a signature can be refused with, and more.
    static func problems(_ conflicts: [String], _ refusals: [String]) -> [Int: [String]] {
        [
            409: ["challenge_used", "challenge_stale"] + conflicts,
            422: ["challenge_expired", "proof_refused", "proof_unsupported"] + refusals,
            503: ["node_unavailable", "chain_disagreement"],
        ]
    }

    /// The challenge and the signature of a body that is a proof.
    ///
    /// - Throws: 404, which the schema rules out.
    static func proof(in request: APIRequest) throws(Problem) -> (ID<Challenge>, String) {
        guard let id = request.body["challenge"]?.stringValue.flatMap({ ID<Challenge>(wire: $0) }) else {
            throw .notFound
        }
        return (id, request.body["signature"]?.stringValue ?? "")
    }

    static func proof(named name: String) -> JSONSchema {
        .object(
            [.required("challenge", .id(of: Challenge.self)), .required("signature", .string(.signature))],
            named: name
        )
    }

    private static let body = JSONSchema.object(
        [
            .required("wallet", .id(of: Wallet.self)),
            .optional("form", .oneOf(Challenge.Form.self), "`text` unless given; `typed_data` on Ethereum only."),
        ],
        named: "NewWalletChallenge"
    )
}

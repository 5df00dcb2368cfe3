import Cryptography
import HTTP
import Kernel

/// `/v1/me/api-keys…`: keys for programs.
struct APIKeyRoutes: Sendable {
    let services: IdentityServices

    var routes: [Route] { [list, create, revoke] }

    private static let tag = "API keys"
    private static let daysDefault = 90

    private var list: Route {
        let keys = APIKeys(services: services)
        return Route(
            .get,
            "/v1/me/api-keys",
            operationID: "listAPIKeys",
            summary: "Your keys that count",
            tag: Self.tag,
            access: .permission("me"),
            responses: [200: ResponseShape("The keys, the newest first.", listSchema)]
        ) { request in
            let list = try await keys.list(of: request.requirePrincipal().user)
            return .ok(["data": .array(list.map(\.json))])
        }
    }

    private var create: Route {
        let keys = APIKeys(services: services)
        return Route(
            .post,
            "/v1/me/api-keys",
            operationID: "createAPIKey",
            summary: "Make a key for a program",
            description: """
                With `hmac_sha256` the answer holds the secret, this once; with `ed25519` you keep the private key and \
                give the public one. `withdraw` needs addresses. A key ends with your second factor.
                """,
            tag: Self.tag,
            access: .permission("me", stepUp: true),
            body: .json(newKey),
            responses: [201: ResponseShape("The key.", Self.madeSchema, headers: [.location])],
            problems: [422: ["key_terms", "too_many_keys"], 503: ["no_master_keys"]],
            rateLimit: services.policy.sensitiveLimit
        ) { request in
            let body = request.body
            let terms = APIKey.Terms(
                label: body["label"]?.stringValue ?? "",
                algorithm: APIKey.Algorithm(rawValue: body["algorithm"]?.stringValue ?? "") ?? .hmacSHA256,
                publicKey: body["public_key"]?.stringValue.flatMap { Base64.decodeURLSafe($0) },
                scopes: body["scopes"]?.elements?.compactMap { $0.stringValue.flatMap(APIKey.Scope.init) } ?? [],
                addresses: body["addresses"]?.elements?.compactMap { $0.stringValue.flatMap(AddressRange.init) } ?? [],
                days: body["days"]?.integerValue ?? Self.daysDefault
            )
            let user = try request.requirePrincipal().user
            let made = try await keys.create(terms, for: user, by: Origin(request))
            let shown = JSON.Member("secret", made.secret.map { .string(Base64.encodeURLSafe($0)) } ?? .null)
            guard case .object(let members) = made.key.json else { preconditionFailure("a key that is no object") }
            return .created(.object(members + [shown]), location: "/v1/me/api-keys")
        }
    }

    private var revoke: Route {
        let keys = APIKeys(services: services)
        return Route(
            .delete,
            "/v1/me/api-keys/{id}",
            operationID: "revokeAPIKey",
            summary: "Revoke a key",
            tag: Self.tag,
            access: .permission("me"),
            parameters: [.path("id", .id(of: APIKey.self), "The key.")],
            responses: [204: ResponseShape("The key doesn't count any more.")]
        ) { request in
            try await keys.revoke(request.id("id"), of: request.requirePrincipal().user, by: Origin(request))
            return .noContent
        }
    }

    private var newKey: JSONSchema {
        .object(
            [
                .required("label", .text(1...60), "What you call it."),
                .required("algorithm", .oneOf(APIKey.Algorithm.self)),
                .optional("public_key", .string(.ed25519PublicKey), "Needed for `ed25519`."),
                .required("scopes", .array(of: .oneOf(APIKey.Scope.self), count: 1...3)),
                .optional(
                    "addresses",
                    .array(of: .string(.addressRange), count: 0...AddressRange.countMax),
                    "From where it counts; from everywhere unless given."
                ),
                .optional(
                    "days",
                    .integer(1...services.policy.apiKeyDaysMax),
                    "How long it counts; \(Self.daysDefault) unless given."
                ),
            ],
            named: "NewAPIKey"
        )
    }

    private var listSchema: JSONSchema {
        .object(
            [.required("data", .array(of: APIKeyRecord.schema, count: 0...services.policy.apiKeysMax))],
            named: "APIKeys"
        )
    }

    private static let madeSchema = JSONSchema.object(
        APIKeyRecord.properties + [
            .required("secret", .nullable(.anyString), "Of an HMAC, in base64url: its bytes are the key.")
        ],
        named: "MadeAPIKey"
    )
}

extension Format {
    /// A public key of Ed25519: 32 bytes in base64url.
    static let ed25519PublicKey = Format(
        "ed25519_public_key",
        pattern: "^[A-Za-z0-9_-]{43}$",
        length: 43...43,
        description: "32 bytes in base64url without padding.",
        example: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    ) { Base64.decodeURLSafe($0)?.count == 32 ? nil : "bad_format" }
}

import HTTP
import Kernel

/// `/v1/auth/…` and the key set.
struct AuthenticationRoutes: Sendable {
    let services: IdentityServices

    var routes: [Route] { [register, signIn, refresh, signOut, keySet] }

    private static let tag = "Authentication"
    private var policy: IdentityPolicy { services.policy }

    private var register: Route {
        let registration = Registration(services: services)
        return Route(
            .post,
            "/v1/auth/register",
            operationID: "register",
            summary: "Become a customer",
            description: """
                A username that is taken is told. Where addresses are confirmed by mail the answer is 202, whether or \
                not the address is taken, and a sign-in takes the token that was sent; elsewhere a taken one is told.
                """,
            tag: Self.tag,
            access: .public,
            body: .json(Self.newUser),
            responses: [
                201: ResponseShape("The new user.", UserRecord.schema, headers: [.location, .etag]),
                202: ResponseShape("The address is to be confirmed by the token that is sent to it."),
            ],
            problems: [
                409: ["email_taken", "username_taken"], 422: ["weak_password"],
                503: ["overloaded", "mail_unavailable"],
            ],
            rateLimit: policy.registrationLimit
        ) { request in
            let body = request.body
            let application = Registration.Application(
                email: try body.email(),
                username: body["username"]?.stringValue ?? "",
                password: body["password"]?.stringValue ?? "",
                name: body["name"]?.stringValue
            )
            if registration.services.policy.confirmsAddresses {
                try await registration.apply(application, by: Origin(request))
                return APIResponse(status: 202)
            }
            let user = try await registration.register(application, by: Origin(request))
            let grants = try await registration.services.users.grants(user.id)
            return APIResponse.created(user.json(grants), location: "/v1/me").tagged(user.tag)
        }
    }

    private var signIn: Route {
        let signIn = SignIn(services: services)
        return Route(
            .post,
            "/v1/auth/login",
            operationID: "login",
            summary: "Begin a session",
            description: "Some failures lock the address for a while, whether or not there is such a user.",
            tag: Self.tag,
            access: .public,
            body: .json(Self.credentials),
            responses: [200: ResponseShape("The tokens.", SessionTokens.schema)],
            problems: [
                401: ["invalid_credentials"], 403: ["user_not_active"], 429: ["sign_in_locked"], 503: ["overloaded"],
            ],
            rateLimit: policy.signInLimit
        ) { request in
            let password = request.body["password"]?.stringValue ?? ""
            let tokens = try await signIn.begin(request.body.email(), password: password, by: Origin(request))
            return .ok(tokens.json)
        }
    }

    private var refresh: Route {
        let sessions = Sessions(services: services)
        return Route(
            .post,
            "/v1/auth/refresh",
            operationID: "refresh",
            summary: "Go on with a session",
            description: "A refresh token is good once. One that comes a second time ends the session.",
            tag: Self.tag,
            access: .public,
            body: .json(.object([.required("refresh_token", .string(.refreshToken))], named: "RefreshRequest")),
            responses: [200: ResponseShape("The next tokens.", SessionTokens.schema)],
            problems: [401: ["invalid_refresh_token"]],
            rateLimit: policy.refreshLimit
        ) { request in
            let token = request.body["refresh_token"]?.stringValue ?? ""
            return .ok(try await sessions.refresh(token, by: Origin(request)).json)
        }
    }

    private var signOut: Route {
        let sessions = Sessions(services: services)
        return Route(
            .post,
            "/v1/auth/logout",
            operationID: "logout",
            summary: "Sign out",
            description: "The refresh token of the session ends with it.",
            tag: Self.tag,
            access: .authenticated,
            responses: [204: ResponseShape("The session has ended.")]
        ) { request in
            try await sessions.end(request.requirePrincipal(), by: Origin(request))
            return .noContent
        }
    }

    private var keySet: Route {
        let keys = services.tokens.keys
        return Route(
            .get,
            "/.well-known/jwks.json",
            operationID: "keySet",
            summary: "The keys of access tokens (RFC 7517)",
            tag: Self.tag,
            access: .public,
            responses: [200: ResponseShape("The public keys.", Self.keySetSchema)]
        ) { _ in
            APIResponse.ok(await keys.current().json).with("Cache-Control", "public, max-age=60")
        }
    }

    private static let newUser = JSONSchema.object(
        [
            .required("email", .email, "Kept in lower case; one user per address."),
            .required("username", .username, "By which other customers pay you: `@username`."),
            .required("password", .string(.newPassword)), .optional("name", .text(1...100)),
        ],
        named: "NewUser"
    )

    private static let credentials = JSONSchema.object(
        [.required("email", .email), .required("password", .string(.typedPassword))],
        named: "Credentials"
    )

    private static let keySetSchema = JSONSchema.object(
        [.required("keys", .array(of: .any, count: 1...KeyDirectory.keysMax))],
        named: "KeySet"
    )
}

extension Format {
    /// A refresh token: `rft_` and 43 characters of base64url.
    static let refreshToken = Format(
        "refresh_token",
        pattern: "^rft_[A-Za-z0-9_-]{43}$",
        length: RefreshToken.length...RefreshToken.length,
        description: "An opaque secret."
    ) { text in
        let isWord = text.utf8.dropFirst(4).allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "-_".utf8.contains(byte)
        }
        return RefreshToken(text) != nil && isWord ? nil : "bad_format"
    }
}

extension JSON {
    /// The member `email`, whose format the schema has checked.
    fileprivate func email() throws(Problem) -> Email {
        guard let email = self["email"]?.stringValue.flatMap({ Email($0) }) else {
            throw .malformed("bad_format", in: "/email")
        }
        return email
    }
}

import HTTP
import Kernel

/// `/v1/me…`: what users see and change of themselves.
struct MeRoutes: Sendable {
    let services: IdentityServices

    /// All of them; a verification by the name alone is for the sandbox.
    var routes: [Route] {
        [read, change, changePassword] + (services.policy.verifiesByName ? [verify] : [])
    }

    private static let tag = "Me"
    private static let access = Access.permission("me")

    private var read: Route {
        let users = services.users
        return Route(
            .get,
            "/v1/me",
            operationID: "getMe",
            summary: "Who you are to us",
            tag: Self.tag,
            access: Self.access,
            responses: [200: ResponseShape("You.", UserRecord.schema, headers: [.etag])]
        ) { request in
            let id = try request.requirePrincipal().user
            guard let user = try await users.find(id) else { throw Problem.notFound }
            return .ok(user.json(try await users.grants(id))).tagged(user.tag)
        }
    }

    private var change: Route {
        let profiles = Profiles(services: services)
        return Route(
            .patch,
            "/v1/me",
            operationID: "changeMe",
            summary: "Change your username, name, telephone number, preferences and what the app shows",
            description: """
                What is left out stays. Of the preferences, members that are given replace the present ones. Another \
                name ends what you were identified by; it isn't taken while an application is looked at. The \
                telephone number is kept encrypted, and shown by the export of your data.
                """,
            tag: Self.tag,
            access: Self.access,
            precondition: .required,
            body: .json(Self.meChange),
            responses: [200: ResponseShape("You, as changed.", UserRecord.schema, headers: [.etag])],
            problems: [409: ["username_taken", "verification_pending"], 410: ["erased"]]
        ) { request in
            let change = Profiles.Change(
                username: request.body["username"]?.stringValue,
                name: request.body["name"]?.stringValue,
                phone: request.body["phone"].map(\.stringValue),
                preferences: request.body["preferences"],
                mascot: request.body["mascot"]?.stringValue.flatMap(Mascot.init),
                experienceLevel: request.body["experience_level"]?.stringValue.flatMap(ExperienceLevel.init),
                enabledDomains: request.body["enabled_domains"]?.elements?
                    .compactMap { $0.stringValue.flatMap(EnabledDomain.init) }
            ) { try request.requireMatch($0.tag) }
            let id = try request.requirePrincipal().user
            let user = try await profiles.change(id, change, by: Origin(request))
            return .ok(user.json(try await profiles.services.users.grants(id))).tagged(user.tag)
        }
    }

    private var changePassword: Route {
        let profiles = Profiles(services: services)
        return Route(
            .post,
            "/v1/me/password",
            operationID: "changePassword",
            summary: "Set a new password",
            description: "Ends your other sessions. Wrong guesses of the present password count like failed sign-ins.",
            tag: Self.tag,
            access: Self.access,
            body: .json(Self.passwordChange),
            responses: [204: ResponseShape("The new password counts from now on.")],
            problems: [
                422: ["wrong_password", "password_unchanged", "weak_password"], 429: ["sign_in_locked"],
                503: ["overloaded"],
            ],
            rateLimit: services.policy.sensitiveLimit
        ) { request in
            try await profiles.changePassword(
                request.requirePrincipal(),
                from: request.body["current_password"]?.stringValue ?? "",
                to: request.body["password"]?.stringValue ?? "",
                by: Origin(request)
            )
            return .noContent
        }
    }

    private var verify: Route {
        let verification = Verification(services: services)
        return Route(
            .post,
            "/v1/me/verification",
            operationID: "requestVerification",
            summary: "Have your identity verified",
            description: """
                The sandbox decides by the name: with the word `Review` an operator has to decide, with `Reject` it \
                refuses, else it approves. It can be asked once, until an operator resets it.
                """,
            tag: Self.tag,
            access: Self.access,
            body: .json(Self.newVerification),
            responses: [
                200: ResponseShape("You, with the outcome in `kyc_status`.", UserRecord.schema, headers: [.etag])
            ],
            problems: [409: ["verification_pending", "verification_approved", "verification_rejected"]],
            rateLimit: services.policy.sensitiveLimit
        ) { request in
            let id = try request.requirePrincipal().user
            let name = request.body["name"]?.stringValue ?? ""
            let user = try await verification.request(id, name: name, by: Origin(request))
            return .ok(user.json(try await verification.services.users.grants(id))).tagged(user.tag)
        }
    }

    private static let meChange = JSONSchema.object(
        [
            .optional("username", .username), .optional("name", .text(1...100)),
            .optional("phone", .nullable(.string(.phone)), "Null removes it."),
            .optional("preferences", Preferences.change),
            .optional("mascot", .oneOf(Mascot.self)), .optional("experience_level", .oneOf(ExperienceLevel.self)),
            .optional("enabled_domains", .array(of: .oneOf(EnabledDomain.self), count: 0...3)),
        ],
        named: "MeChange"
    )

    private static let passwordChange = JSONSchema.object(
        [
            .required("current_password", .string(.typedPassword)),
            .required("password", .string(.newPassword), "The new one."),
        ],
        named: "PasswordChange"
    )

    private static let newVerification = JSONSchema.object(
        [.required("name", .text(1...100), "Your full name, as in your documents.")],
        named: "NewVerification"
    )
}

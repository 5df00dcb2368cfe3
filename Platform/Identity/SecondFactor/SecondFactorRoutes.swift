import HTTP
import Kernel

/// `/v1/me/two-factor…` and `/v1/auth/step-up`: setting up a second factor, and proving it.
struct SecondFactorRoutes: Sendable {
    let services: IdentityServices

    var routes: [Route] { [read, enrol, confirm, disable, renewRecoveryCodes, stepUp] }

    private static let tag = "Second factor"
    private static let access = Access.permission("me")
    private static let refusals: [Int: [String]] = [409: ["two_factor_off"], 422: ["wrong_code"], 429: ["code_locked"]]
    private var factors: SecondFactors { SecondFactors(services: services) }

    private var read: Route {
        let services = services
        return Route(
            .get,
            "/v1/me/two-factor",
            operationID: "getTwoFactor",
            summary: "Whether you have a second factor",
            tag: Self.tag,
            access: Self.access,
            responses: [200: ResponseShape("Your second factor.", Self.state)]
        ) { request in
            let principal = try request.requirePrincipal()
            let state = try await SecondFactorRows.state(of: principal.user, services.pool)
            let until: Timestamp? = if case .secondFactor(let until) = principal.assurance { until } else { nil }
            return .ok([
                "enabled": .bool(state.confirmedAt != nil),
                "confirmed_at": state.confirmedAt.map { .string($0.description) } ?? .null,
                "recovery_codes_left": .integer(state.codes),
                "stepped_up_until": until.map { .string($0.description) } ?? .null,
            ])
        }
    }

    private var enrol: Route {
        let factors = factors
        return Route(
            .post,
            "/v1/me/two-factor",
            operationID: "enrolTwoFactor",
            summary: "Set up a second factor",
            description: """
                Give the secret to an authenticator app (RFC 6238: SHA-1, 6 digits, 30 s), then confirm it by a code. \
                Asked again before that, it makes a new secret. Wrong passwords count like failed sign-ins.
                """,
            tag: Self.tag,
            access: Self.access,
            body: .json(.object([.required("password", .string(.typedPassword))], named: "TwoFactorEnrolment")),
            responses: [201: ResponseShape("The secret, shown this once.", Self.secret, headers: [.location])],
            problems: [
                409: ["two_factor_already_on"], 422: ["wrong_password"], 429: ["sign_in_locked"],
                503: ["overloaded", "no_master_keys"],
            ],
            rateLimit: services.policy.sensitiveLimit
        ) { request in
            let enrolment = try await factors.enrol(
                request.requirePrincipal(),
                password: request.body["password"]?.stringValue ?? "",
                by: Origin(request)
            )
            return .created(
                ["secret": .string(enrolment.secret), "uri": .string(enrolment.uri)],
                location: "/v1/me/two-factor"
            )
        }
    }

    private var confirm: Route {
        let factors = factors
        return route(
            "/v1/me/two-factor/confirm",
            "confirmTwoFactor",
            "Confirm a second factor",
            "The first code of the app. It counts from now on, and your session is stepped up.",
            [200: ResponseShape("Codes for when the app is lost, each good once; shown this once.", Self.codes)],
            [409: ["two_factor_off", "two_factor_already_on"]]
        ) { principal, code, origin in
            .ok(Self.json(try await factors.confirm(principal, code: code, by: origin)))
        }
    }

    private var disable: Route {
        let factors = factors
        return route(
            "/v1/me/two-factor/disable",
            "disableTwoFactor",
            "Remove your second factor",
            "A code of the app or a recovery code. Your API keys end with it.",
            [204: ResponseShape("There is no second factor any more.")]
        ) { principal, code, origin in
            try await factors.disable(principal, code: code, by: origin)
            return .noContent
        }
    }

    private var renewRecoveryCodes: Route {
        let factors = factors
        return route(
            "/v1/me/two-factor/recovery-codes",
            "renewRecoveryCodes",
            "Get new recovery codes",
            "The former ones don't count any more.",
            [200: ResponseShape("The codes, each good once; shown this once.", Self.codes)]
        ) { principal, code, origin in
            .ok(Self.json(try await factors.renewRecoveryCodes(principal, code: code, by: origin)))
        }
    }

    private var stepUp: Route {
        let (factors, seconds) = (factors, services.policy.stepUpSeconds)
        return route(
            "/v1/auth/step-up",
            "stepUp",
            "Prove your second factor",
            "A code of the app or a recovery code. For \(seconds) s your session may do what needs a second factor.",
            [200: ResponseShape("Until when it counts.", Self.steppedUp)]
        ) { principal, code, origin in
            let until = try await factors.stepUp(principal, code: code, by: origin)
            return .ok(["stepped_up_until": .string(until.description)])
        }
    }

    /// A route that takes a code.
    private func route(
        _ path: PathTemplate,
        _ operationID: String,
        _ summary: String,
        _ description: String,
        _ responses: [Int: ResponseShape],
        _ problems: [Int: [String]] = [:],
        work: @escaping @Sendable (Principal, String, Origin) async throws -> APIResponse
    ) -> Route {
        Route(
            .post,
            path,
            operationID: operationID,
            summary: summary,
            description: description,
            tag: Self.tag,
            access: Self.access,
            body: .json(.object([.required("code", .string(.secondFactorCode))], named: "SecondFactorCode")),
            responses: responses,
            problems: Self.refusals.merging(problems) { $1 },
            rateLimit: services.policy.sensitiveLimit
        ) { request in
            let code = request.body["code"]?.stringValue ?? ""
            return try await work(request.requirePrincipal(), code, Origin(request))
        }
    }

    private static func json(_ codes: [String]) -> JSON { ["recovery_codes": .array(codes.map { .string($0) })] }

    private static let state = JSONSchema.object(
        [
            .required("enabled", .bool), .required("confirmed_at", .nullable(.instant)),
            .required("recovery_codes_left", .integer(0...RecoveryCode.count)),
            .required("stepped_up_until", .nullable(.instant), "Until when your session may do what needs it."),
        ],
        named: "TwoFactor"
    )

    private static let secret = JSONSchema.object(
        [
            .required("secret", .anyString, "In base 32, for typing."),
            .required("uri", .anyString, "`otpauth://totp/…`, for a QR code."),
        ],
        named: "TwoFactorSecret"
    )

    private static let codes = JSONSchema.object(
        [.required("recovery_codes", .array(of: .anyString, count: RecoveryCode.count...RecoveryCode.count))],
        named: "RecoveryCodes"
    )

    private static let steppedUp = JSONSchema.object([.required("stepped_up_until", .instant)], named: "StepUp")
}

extension Format {
    /// A code of an authenticator app, or a recovery code.
    static let secondFactorCode = Format(
        "second_factor_code",
        pattern: "^([0-9]{6}|[a-z2-7]{4}(-[a-z2-7]{4}){3})$",
        length: 6...RecoveryCode.length,
        description: "Six digits of the app, or a recovery code.",
        example: "123456"
    ) { text in
        let isDigits = text.utf8.count == 6 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return isDigits || RecoveryCode(text) != nil ? nil : "bad_format"
    }
}

import HTTP
import Kernel

/// Confirming an address, and setting a password that was forgotten.
struct EmailRoutes: Sendable {
    let services: IdentityServices

    var routes: [Route] { [requestVerification, verify, requestReset, reset] }

    private static let tag = "Authentication"

    private var requestVerification: Route {
        let letters = services.letters
        return Route(
            .post,
            "/v1/me/email-verification",
            operationID: "requestEmailVerification",
            summary: "Have a token sent to your address",
            description: "It is good for a day; asked again, the one before isn't good any more.",
            tag: Self.tag,
            access: .permission("me"),
            responses: [202: ResponseShape("It is on its way, unless your address is confirmed already.")],
            problems: [503: ["mail_unavailable"]],
            rateLimit: services.policy.sensitiveLimit
        ) { request in
            try letters.post(.verification(request.requirePrincipal().user))
            return APIResponse(status: 202)
        }
    }

    private var verify: Route {
        let confirmations = EmailConfirmations(services: services)
        return Route(
            .post,
            "/v1/auth/email-verification",
            operationID: "verifyEmail",
            summary: "Confirm an address",
            tag: Self.tag,
            access: .public,
            body: .json(.object([.required("token", .string(.emailToken))], named: "EmailVerification")),
            responses: [204: ResponseShape("The address is confirmed.")],
            problems: [422: ["invalid_email_token"]],
            rateLimit: services.policy.refreshLimit
        ) { request in
            try await confirmations.verify(request.body["token"]?.stringValue ?? "", by: Origin(request))
            return .noContent
        }
    }

    private var requestReset: Route {
        let letters = services.letters
        return Route(
            .post,
            "/v1/auth/password-reset",
            operationID: "requestPasswordReset",
            summary: "Have a token for a new password sent to your address",
            description: "The answer is the same whether or not there is such a user. It is good for half an hour.",
            tag: Self.tag,
            access: .public,
            body: .json(.object([.required("email", .email)], named: "PasswordResetRequest")),
            responses: [202: ResponseShape("If there is such a user, it is on its way.")],
            problems: [503: ["mail_unavailable"]],
            rateLimit: services.policy.registrationLimit
        ) { request in
            guard let email = request.body["email"]?.stringValue.flatMap({ Email($0) }) else {
                throw Problem.malformed("bad_format", in: "/email")
            }
            try letters.post(.passwordReset(email, Origin(request)))
            return APIResponse(status: 202)
        }
    }

    private var reset: Route {
        let confirmations = EmailConfirmations(services: services)
        return Route(
            .post,
            "/v1/auth/password-reset/confirm",
            operationID: "resetPassword",
            summary: "Set a new password with a token",
            description: "Ends all your sessions. A second factor stays as it is.",
            tag: Self.tag,
            access: .public,
            body: .json(
                .object(
                    [.required("token", .string(.emailToken)), .required("password", .string(.newPassword))],
                    named: "PasswordReset"
                )
            ),
            responses: [204: ResponseShape("The new password counts from now on.")],
            problems: [422: ["invalid_email_token", "weak_password"], 503: ["overloaded"]],
            rateLimit: services.policy.registrationLimit
        ) { request in
            try await confirmations.reset(
                request.body["token"]?.stringValue ?? "",
                to: request.body["password"]?.stringValue ?? "",
                by: Origin(request)
            )
            return .noContent
        }
    }
}

extension Format {
    /// A token that was sent by mail.
    static let emailToken = Format(
        "email_token",
        pattern: "^emt_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$",
        length: EmailToken.length...EmailToken.length,
        description: "The token that was sent to the address."
    ) { EmailToken($0) == nil ? "bad_format" : nil }
}

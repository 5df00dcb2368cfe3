public import Kernel

extension Problem {
    /// 401 for a missing or invalid token.
    public static let unauthenticated = Problem(
        401,
        "unauthenticated",
        "The request needs a valid bearer token. Sign in, then send `Authorization: Bearer …`."
    )
    /// 403 for a caller who lacks the permission.
    public static let forbidden = Problem(403, "forbidden", "Your role doesn't permit this operation.")
    /// 403 for a caller without a second factor where one is needed.
    public static let twoFactorRequired = Problem(
        403,
        "two_factor_required",
        "This needs a second factor. Set one up with `POST /v1/me/two-factor`, confirm it, then send the request again."
    )
    /// 403 for a caller whose second factor was proven too long ago.
    public static let stepUpRequired = Problem(
        403,
        "step_up_required",
        "Give a code of your second factor to `POST /v1/auth/step-up`, then send the request again."
    )
    /// 404 for what doesn't exist or isn't the caller's.
    public static let notFound = Problem(404, "not_found", "There is no such resource.")
    /// 500 for what we didn't foresee.
    static let internalError = Problem(
        500,
        "internal_error",
        "Something went wrong on our side. Quote the request id when you report it."
    )

    /// 400 for one thing that isn't right about a part of the request.
    public static func malformed(_ code: String, in pointer: String) -> Problem {
        Problem(400, "invalid_request", "The request isn't valid; `errors` says where.", faults: [Fault(pointer, code)])
    }

    /// 400 for the faults that a check has found.
    static func invalid(_ faults: [Fault]) -> Problem {
        Problem(400, "invalid_request", "The request isn't valid; `errors` says where.", faults: faults)
    }
}

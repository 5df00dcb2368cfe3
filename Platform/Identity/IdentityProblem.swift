import HTTP
import Cryptography
public import Kernel

/// Why identity refuses something.
public enum IdentityProblem: Error, Sendable, Hashable {
    /// Somebody has registered with that address.
    case emailTaken
    /// Somebody has that username, or it is kept for the platform.
    case usernameTaken
    /// The password is too weak to be set; the reason is for people.
    case weakPassword(reason: String)
    /// The new password is the present one.
    case passwordUnchanged
    /// The password that was to prove who asks is wrong.
    case wrongPassword
    /// There is no user with that address and password; which of them is wrong isn't said.
    case invalidCredentials
    /// Too many failed attempts for an address.
    case signInLocked(seconds: Int)
    /// The code of the second factor is wrong, or was used before.
    case wrongCode
    /// Too many wrong codes.
    case codeLocked(seconds: Int)
    /// The user has as many keys for programs as one may have.
    case tooManyKeys
    /// The terms of a key for programs don't go together; what is wrong is named as for a request.
    case keyTerms(pointer: String, code: String)
    /// The token that was sent by mail is unknown, used, or its time is over.
    case invalidEmailToken
    /// No mail can be sent now.
    case mailUnavailable
    /// The user has no second factor.
    case twoFactorOff
    /// The user has a second factor already.
    case twoFactorAlreadyOn
    /// The user is locked or closed.
    case userNotActive
    /// The refresh token is unknown, used, expired or revoked; which of them isn't said.
    case invalidRefreshToken
    /// The user's verification has begun or is decided.
    case verificationNotOpen(KYCStatus)
    /// The status can't follow the present one.
    case statusNotPossible(from: String, to: String)
    /// The user has applied with documents, or hasn't asked to be verified: officers decide on an application.
    case decidedByApplication
    /// A compliance case about the user is open.
    case customerHeld
    /// The user has the role already, or doesn't have it.
    case roleNotPossible
    /// Operators can't decide on themselves.
    case ownAccount
    /// The passwords can't be worked on now.
    case hashingUnavailable
}

extension IdentityProblem: ProblemConvertible {
    /// 401 for who can't prove who they are, 403 for who may not, 409 for what is taken or decided, 422 for passwords.
    public var problem: Problem {
        switch self {
        case .emailTaken: Problem(409, "email_taken", "There is a user with this address. Sign in instead.")
        case .usernameTaken: Problem(409, "username_taken", "This username isn't free. Choose another one.")
        case .weakPassword(let reason):
            Problem(
                422,
                "weak_password",
                "The password is too easy to guess: \(reason). Choose another one.",
                faults: [Problem.Fault("/password", "weak")]
            )
        case .passwordUnchanged: Problem(422, "password_unchanged", "The new password is the present one.")
        case .wrongPassword: Problem(422, "wrong_password", "The present password is another one.")
        case .invalidCredentials:
            Problem(401, "invalid_credentials", "There is no user with this address and password.")
        case .signInLocked(let seconds):
            IdentityProblem.locked("sign_in_locked", "Too many failed attempts.", seconds)
        case .wrongCode:
            Problem(422, "wrong_code", "The code is wrong or was used before. Wait for the next one.")
        case .codeLocked(let seconds):
            IdentityProblem.locked("code_locked", "Too many wrong codes.", seconds)
        case .tooManyKeys: Problem(422, "too_many_keys", "You have as many keys as one may have. Revoke one first.")
        case .keyTerms(let pointer, let code):
            Problem(
                422,
                "key_terms",
                "A key can't be made on these terms; `errors` says why.",
                faults: [Problem.Fault(pointer, code)]
            )
        case .invalidEmailToken:
            Problem(422, "invalid_email_token", "The token isn't good, or not any more. Have another one sent.")
        case .mailUnavailable:
            Problem(503, "mail_unavailable", "No mail can be sent now. Try again.", retryAfterSeconds: 60)
        case .twoFactorOff:
            Problem(409, "two_factor_off", "There is no second factor. Set one up with `POST /v1/me/two-factor`.")
        case .twoFactorAlreadyOn:
            Problem(409, "two_factor_already_on", "There is a second factor. Disable it to set up another one.")
        case .userNotActive: Problem(403, "user_not_active", "This account is locked or closed. Contact support.")
        case .invalidRefreshToken: Problem(401, "invalid_refresh_token", "The session has ended. Sign in again.")
        case .verificationNotOpen(let status):
            Problem(409, "verification_\(status.rawValue)", "The verification is \(status.rawValue) already.")
        case .statusNotPossible(let from, let to):
            Problem(409, "status_not_possible", "The status can't change from \(from) to \(to).")
        case .decidedByApplication:
            Problem(409, "decided_by_application", "Who is identified by documents is approved on an application.")
        case .customerHeld:
            Problem(409, "customer_held", "A compliance case about this customer is open. Decide it first.")
        case .roleNotPossible:
            Problem(409, "role_not_possible", "The user has the role already, or doesn't have it to lose.")
        case .ownAccount: Problem(403, "own_account", "Nobody decides on their own account. Ask a colleague.")
        case .hashingUnavailable:
            Problem(503, "overloaded", "Too many sign-ins are waiting. Try again.", retryAfterSeconds: 1)
        }
    }
}

extension IdentityProblem {
    private static func locked(_ code: String, _ what: String, _ seconds: Int) -> Problem {
        Problem(429, code, what + " Wait as long as `Retry-After` says.", retryAfterSeconds: seconds)
    }

    /// What a failure of the password hasher means to a client; other failures than these are faults of ours.
    static func from(_ error: PasswordError) -> any Error {
        switch error {
        case .overloaded: IdentityProblem.hashingUnavailable
        case .weak(let reason): IdentityProblem.weakPassword(reason: reason)
        case .tooShort: Problem.malformed("too_short", in: "/password")
        case .tooLong: Problem.malformed("too_long", in: "/password")
        case .containsNUL: Problem.malformed("nul", in: "/password")
        case .dictionaryUnavailable, .malformedHash, .libraryFailure: error
        }
    }
}

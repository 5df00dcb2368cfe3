import JWTKit

/// What an access token says (RFC 9068); instants in seconds since 1970.
struct AccessClaims: JWTPayload, Hashable {
    /// Who issued it.
    let iss: String
    /// The user, on the wire.
    let sub: String
    /// The session, as a UUID.
    let sid: String
    let roles: [String]
    let permissions: [String]
    let iat: Int64
    let exp: Int64

    // The time is compared by who knows the injected clock.
    func verify(using _: some JWTAlgorithm) async throws {}
}

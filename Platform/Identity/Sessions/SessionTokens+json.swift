public import HTTP
public import Kernel

extension SessionTokens {
    /// The tokens as a client gets them.
    public var json: JSON {
        [
            "access_token": .string(accessToken), "refresh_token": .string(refreshToken),
            "expires_in": .integer(expiresInSeconds), "token_type": "Bearer",
        ]
    }

    /// What `json` looks like.
    public static let schema = JSONSchema.object(
        [
            .required("access_token", .anyString, "For `Authorization: Bearer …`."),
            .required("refresh_token", .string(.refreshToken), "For the next pair, once."),
            .required("expires_in", .integer(1...86_400), "Seconds until the access token doesn't count any more."),
            .required("token_type", .oneOf(["Bearer"])),
        ],
        named: "Tokens"
    )
}

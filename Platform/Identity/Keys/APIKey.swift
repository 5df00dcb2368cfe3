import HTTP
import Kernel
import PostgreSQL

/// A key with which a program of a user signs its requests.
enum APIKey: Entity {
    /// `key_…`.
    static let idPrefix = "key"

    /// How it signs.
    enum Algorithm: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// With a secret that both sides have.
        case hmacSHA256 = "hmac_sha256"
        /// With a private key that only the client has.
        case ed25519
    }

    /// What it may be used for; table `api_scopes` says which permissions that are.
    enum Scope: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// See what the user sees.
        case read
        /// Trade.
        case trade
        /// Move money out.
        case withdraw
    }

    /// What a user asks for.
    struct Terms: Sendable {
        let label: String
        let algorithm: Algorithm
        /// The public key of Ed25519, 32 bytes; nil for HMAC.
        let publicKey: [UInt8]?
        let scopes: [Scope]
        let addresses: [AddressRange]
        let days: Int
    }
}

/// A row of table `api_keys`, without what it signs with.
struct APIKeyRecord: Sendable {
    let id: ID<APIKey>
    let label: String
    let algorithm: APIKey.Algorithm
    let scopes: [APIKey.Scope]
    let addresses: [String]
    let createdAt: Timestamp
    let expiresAt: Timestamp
    let lastUsedAt: Timestamp?

    static let columns: SQL = "id, label, algorithm, scopes, addresses, created_at, expires_at, last_used_at"

    /// Reads a row of `columns`, in their order.
    init(_ row: Row) throws(DecodingFailure) {
        (id, label, algorithm, scopes) = (try row[0], try row[1], try row[2], try row[3])
        (addresses, createdAt, expiresAt, lastUsedAt) = (try row[4], try row[5], try row[6], try row[7])
    }

    /// The key as the API shows one.
    var json: JSON {
        [
            "id": .string(id.wire), "label": .string(label), "algorithm": .string(algorithm.rawValue),
            "scopes": .array(scopes.map { .string($0.rawValue) }),
            "addresses": .array(addresses.map { .string($0) }), "created_at": .string(createdAt.description),
            "expires_at": .string(expiresAt.description),
            "last_used_at": lastUsedAt.map { .string($0.description) } ?? .null,
        ]
    }

    static let properties: [JSONSchema.Property] = [
        .required("id", .id(of: APIKey.self)), .required("label", .text(1...60)),
        .required("algorithm", .oneOf(APIKey.Algorithm.self)),
        .required("scopes", .array(of: .oneOf(APIKey.Scope.self), count: 1...3)),
        .required("addresses", .array(of: .anyString, count: 0...AddressRange.countMax), "Empty: from everywhere."),
        .required("created_at", .instant), .required("expires_at", .instant),
        .required("last_used_at", .nullable(.instant), "At most a minute old."),
    ]

    static let schema = JSONSchema.object(properties, named: "APIKey")
}

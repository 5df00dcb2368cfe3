import HTTP
import Kernel
import PostgreSQL
import WalletCrypto

/// What a wallet is asked to sign, so that its user proves an account: once, within ten minutes, for one purpose.
struct Challenge: Sendable, Entity {
    static let idPrefix = "wch"
    /// How long it counts.
    static let lifetimeSeconds: Int64 = 600

    enum Purpose: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// A user says that a wallet is theirs.
        case linkWallet = "link_wallet"
        /// Somebody wants to be signed in by a wallet that is linked.
        case signIn = "sign_in"
    }

    /// In which form it is signed.
    enum Form: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// A text: EIP-4361 on Ethereum, CAIP-122 on the other chains.
        case text
        /// Structured data (EIP-712), on Ethereum.
        case typedData = "typed_data"
    }

    let id: ID<Challenge>
    let purpose: Purpose
    /// Who links a wallet; nil for a sign-in.
    let user: ID<User>?
    let account: AccountID
    /// Whom the signature is for, and nobody else.
    let site: ChallengeSite
    let form: Form
    /// Exactly what is signed.
    let message: String
    let nonce: String
    let issuedAt: Timestamp
    let expiresAt: Timestamp

    static let columns: SQL = """
        c.id, c.purpose, c.user_id, c.account, c.domain, c.uri, c.form, c.message, c.nonce, c.issued_at, c.expires_at
        """

    init(_ row: Row) throws {
        guard let account = AccountID(try row["account"]) else { throw WalletFault.unknownAccount }
        (id, purpose, user, self.account) = (try row["id"], try row["purpose"], try row["user_id"], account)
        site = ChallengeSite(domain: try row["domain"], uri: try row["uri"])
        (form, message, nonce) = (try row["form"], try row["message"], try row["nonce"])
        (issuedAt, expiresAt) = (try row["issued_at"], try row["expires_at"])
    }

    var json: JSON {
        [
            "id": .string(id.wire), "account": .string(account.description), "purpose": .string(purpose.rawValue),
            "form": .string(form.rawValue), "message": .string(message),
            "expires_at": .string(expiresAt.description),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: Challenge.self)), .required("account", .string(.account)),
            .required("purpose", .oneOf(Purpose.self)), .required("form", .oneOf(Form.self)),
            .required(
                "message",
                .anyString,
                "What the wallet signs, to the last byte: a text, or the JSON for `eth_signTypedData_v4`."
            ),
            .required("expires_at", .instant),
        ],
        named: "WalletChallenge"
    )
}

/// Where signatures are asked for: what a wallet shows its user, and what they are bound to.
struct ChallengeSite: Sendable, Hashable {
    /// Host and port.
    let domain: String
    /// What the signature is for.
    let uri: String

    init(domain: String, uri: String) { (self.domain, self.uri) = (domain, uri) }

    /// The site of a URL under which clients reach us, without a slash at its end.
    init(publicURL: String, path: String) {
        let rest = publicURL.split(separator: "://", maxSplits: 1).last ?? publicURL[...]
        (domain, uri) = (String(rest.prefix { $0 != "/" }), publicURL + path)
    }
}

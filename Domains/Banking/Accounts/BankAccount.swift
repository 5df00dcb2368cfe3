import HTTP
import Kernel
import PostgreSQL

/// What a customer keeps money in, or takes it from and sends it to.
struct BankAccount: Sendable, Entity {
    static let idPrefix = "bac"

    enum Kind: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// A balance of ours for everyday money.
        case checking
        /// A balance of ours for money put aside.
        case savings
        /// A card elsewhere that deposits come from.
        case creditCard = "credit_card"
        /// A bank account elsewhere that withdrawals go to.
        case wire

        /// Whether it has a balance in our ledger.
        var isOurs: Bool { self == .checking || self == .savings }
    }

    enum Status: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        case open, frozen, closed
    }

    enum Verification: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        case unverified, pending, verified, rejected
    }

    let id: ID<BankAccount>
    let user: ID<User>
    let kind: Kind
    let label: String
    let status: Status
    let verification: Verification
    /// What names the instrument elsewhere: a provider's token, the last digits.
    let instrument: JSON?
    let version: Int64
    let createdAt: Timestamp

    static let columns: SQL = "id, user_id, type, label, status, verification, instrument, version, created_at"

    init(_ row: Row) throws {
        (id, user, kind) = (try row["id"], try row["user_id"], try row["type"])
        (label, status, verification) = (try row["label"], try row["status"], try row["verification"])
        (instrument, version, createdAt) = (try row["instrument"], try row["version"], try row["created_at"])
    }

    var json: JSON {
        [
            "id": .string(id.wire), "type": .string(kind.rawValue), "label": .string(label),
            "status": .string(status.rawValue), "verification": .string(verification.rawValue),
            "last_digits": instrument?["last_digits"] ?? .null, "created_at": .string(createdAt.description),
        ]
    }

    /// Makes sure that money may be taken from it or sent to it elsewhere.
    ///
    /// - Throws: 422 `account_closed`, `account_frozen` or `account_not_verified`.
    func requireUsable() throws(Problem) {
        switch status {
        case .closed: throw Problem(422, "account_closed", "This account is closed. Name another account.")
        case .frozen: throw Problem(422, "account_frozen", "This account is frozen. Contact support.")
        case .open: break
        }
        guard verification == .verified else {
            throw Problem(422, "account_not_verified", "This account isn't verified yet.")
        }
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: BankAccount.self)), .required("type", .oneOf(Kind.self)),
            .required("label", .anyString), .required("status", .oneOf(Status.self)),
            .required("verification", .oneOf(Verification.self)),
            .required("last_digits", .nullable(.anyString), "The last digits of the card or account elsewhere."),
            .required("created_at", .instant),
            .optional(
                "limits",
                .array(of: LimitReport.schema, count: 0...100),
                "The limits of an account of ours and what is used of them, where one account is asked for."
            ),
        ],
        named: "Account"
    )
}

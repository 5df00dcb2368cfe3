import HTTP
import Kernel
import PostgreSQL
import WalletCrypto

/// An account on a chain whose keys its user has and nobody here.
struct Wallet: Sendable, Entity {
    static let idPrefix = "wlt"

    /// What signs for it.
    enum Kind: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// An app or extension that holds the key.
        case hot
        /// A device that holds the key and shows what it signs.
        case hardware
        /// Several keys of which some are enough.
        case multisig
        /// A contract that says whether a signature is its own (ERC-1271).
        case contract
    }

    enum Status: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// Anybody may watch any account.
        case watchOnly = "watch_only"
        /// The user has proven that it is theirs; of these there is one for each chain and network.
        case verified
        /// It is neither watched nor used any more.
        case revoked
    }

    let id: ID<Wallet>
    let user: ID<User>
    let network: ChainNetwork
    /// Its name across chains (CAIP-10), in its one spelling.
    let account: AccountID
    let kind: Kind
    let label: String
    let status: Status
    /// Where it is a whole account on Bitcoin: how its addresses derive.
    let derivation: Derivation?
    let verifiedAt: Timestamp?
    let revokedAt: Timestamp?
    let version: Int64
    let createdAt: Timestamp
    let updatedAt: Timestamp

    var chain: Chain { network.chain }
    var address: String { account.address }
    var tag: EntityTag { EntityTag(version: version) }

    static let columns: SQL = """
        w.id, w.user_id, w.account, w.type, w.label, w.status, w.extended_key, w.script, w.gap_limit, w.verified_at,
        w.revoked_at, w.version, w.created_at, w.updated_at
        """

    init(_ row: Row) throws {
        let text: String = try row["account"]
        guard let account = AccountID(text), let network = ChainNetwork(account.chainID) else {
            throw WalletFault.unknownAccount
        }
        (id, user, self.network, self.account) = (try row["id"], try row["user_id"], network, account)
        (kind, label, status) = (try row["type"], try row["label"], try row["status"])
        (verifiedAt, revokedAt) = (try row["verified_at"], try row["revoked_at"])
        (version, createdAt) = (try row["version"], try row["created_at"])
        updatedAt = try row["updated_at"]
        derivation = try Derivation(row)
    }
}

/// A row that this program wouldn't have written.
enum WalletFault: Error {
    case unknownAccount
    case unknownKey
}

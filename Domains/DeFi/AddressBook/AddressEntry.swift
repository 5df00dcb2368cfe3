import HTTP
import Kernel
import PostgreSQL
import WalletCrypto

/// An address that a customer pays to, once its lock is over.
struct AddressEntry: Sendable, Entity {
    static let idPrefix = "adr"

    enum Status: String, Sendable, CaseIterable {
        /// Nothing is paid out to it before `opens_at`.
        case locked
        case open
        case removed
    }

    let id: ID<AddressEntry>
    let user: ID<User>
    let network: ChainNetwork
    let account: AccountID
    let label: String
    /// The customer's own wallet, if it is one.
    let wallet: ID<Wallet>?
    /// By the database's clock when the row was read.
    let status: Status
    let opensAt: Timestamp
    /// Addresses that it looks like, although it is another.
    let resembles: [ID<AddressEntry>]
    let version: Int64
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let columns: SQL = """
        b.id, b.user_id, b.account, b.label, b.wallet, b.opens_at, b.resembles, b.version, b.created_at, b.updated_at,
        b.removed_at is not null as is_removed, b.opens_at <= clock_timestamp() as is_open
        """

    init(_ row: Row) throws {
        guard let account = AccountID(try row["account"]), let network = ChainNetwork(account.chainID) else {
            throw WalletFault.unknownAccount
        }
        (id, user, self.account, self.network) = (try row["id"], try row["user_id"], account, network)
        (label, wallet, opensAt) = (try row["label"], try row["wallet"], try row["opens_at"])
        (resembles, version) = (try row["resembles"], try row["version"])
        (createdAt, updatedAt) = (try row["created_at"], try row["updated_at"])
        status = try row["is_removed"] ? .removed : try row["is_open"] ? .open : .locked
    }

    var json: JSON {
        [
            "id": .string(id.wire), "account": .string(account.description),
            "chain": .string(network.chain.rawValue), "network": .string(network.kind.rawValue),
            "address": .string(account.address), "label": .string(label),
            "wallet": wallet.map { .string($0.wire) } ?? .null, "status": .string(status.rawValue),
            "opens_at": .string(opensAt.description), "resembles": .array(resembles.map { .string($0.wire) }),
            "created_at": .string(createdAt.description),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: AddressEntry.self)), .required("account", .string(.account), "CAIP-10."),
            .required("chain", .oneOf(Chain.self)), .required("network", .oneOf(ChainNetwork.Kind.self)),
            .required("address", .anyString), .required("label", .anyString),
            .required("wallet", .nullable(.id(of: Wallet.self)), "Your own wallet, if it is one."),
            .required("status", .oneOf(Status.self)),
            .required("opens_at", .instant, "Nothing is paid out to it before."),
            .required(
                "resembles",
                .array(of: .id(of: AddressEntry.self), count: 0...AddressBook.entriesMax),
                "Entries that it looks like; you have said that it is another."
            ),
            .required("created_at", .instant),
        ],
        named: "AddressEntry"
    )
}

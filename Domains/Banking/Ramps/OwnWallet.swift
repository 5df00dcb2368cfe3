import Kernel
import Messaging
import PostgreSQL

/// A wallet whose key the customer has, as DeFi tells of it.
struct OwnWallet: Sendable, Entity {
    static let idPrefix = "wlt"

    let id: ID<OwnWallet>
    let user: ID<User>
    /// By CAIP-10.
    let account: String
    /// Whether the customer has proven to have the key, and hasn't revoked the wallet.
    let isProven: Bool
    let version: Int64

    /// The types of events, without version, that tell whether a wallet is the customer's.
    static let types: Set<String> = ["defi.wallet.verified", "defi.wallet.revoked"]

    /// Why an event tells of no wallet.
    enum Fault: Error, Hashable {
        case notJSON
        case badEnvelope(CloudEventError)
        case badMember(String)
    }

    /// The wallet that an event of the inbox tells of.
    init(_ event: InboxEvent) throws(Fault) {
        let json: JSON
        do { json = try JSON.parse(event.body) } catch { throw .notJSON }
        let data: JSON
        do { data = try CloudEvent(json: json).data } catch { throw .badEnvelope(error) }
        let wallet = data["wallet"]
        guard let user = data["user"]?.stringValue.flatMap({ ID<User>(wire: $0) }) else { throw .badMember("user") }
        guard let id = wallet?["id"]?.stringValue.flatMap({ ID<OwnWallet>(wire: $0) }) else { throw .badMember("id") }
        guard let account = wallet?["account"]?.stringValue else { throw .badMember("account") }
        guard let status = wallet?["status"]?.stringValue else { throw .badMember("status") }
        guard let version = wallet?["version"]?.integerValue, version > 0 else { throw .badMember("version") }
        (self.id, self.user, self.account) = (id, user, account)
        (isProven, self.version) = (status == "verified", Int64(version))
    }
}

extension OwnWallet: StoredRow {
    /// Only what is newer than what is there counts.
    static var mustTouchEachRow: Bool { false }

    static func store(_ rows: [OwnWallet], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).own_wallets as w (id, user_id, account, is_proven, version)
            select distinct on (n.id) n.* from unnest(\(rows.map(\.id)), \(rows.map(\.user)), \(rows.map(\.account)),
                \(rows.map(\.isProven)), \(rows.map(\.version))) as n(id, user_id, account, is_proven, version)
            order by n.id, n.version desc
            on conflict (id) do update
            set user_id = excluded.user_id, account = excluded.account, is_proven = excluded.is_proven,
                version = excluded.version
            where excluded.version > w.version
            """
        ]
    }
}

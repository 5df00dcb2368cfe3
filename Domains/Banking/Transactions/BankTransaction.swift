import HTTP
import Kernel
import Ledger
import PostgreSQL

/// Something that a customer does with money: a deposit, withdrawal, payment or transfer.
struct BankTransaction: Sendable, Entity {
    static let idPrefix = "txn"

    enum Kind: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        case deposit, withdrawal, payment, transfer
    }

    /// One change of status, to be stored.
    struct Change: Sendable {
        let from: TransactionStatus?
        let to: TransactionStatus
        let reason: String?
        let metadata: JSON?
    }

    let id: ID<BankTransaction>
    let user: ID<User>
    let kind: Kind
    let amount: Money
    let fee: Money
    /// The kind of the customer's ledger account that it is about: `checking`.
    let account: String
    let counterparty: ID<User>?
    let otherDomain: String?
    let linkedAccount: ID<BankAccount>?
    let provider: String?
    let memo: String?
    /// The fee quote that was promised.
    let quote: JSON
    let createdAt: Timestamp
    private(set) var status: TransactionStatus
    /// How often it was stored.
    private(set) var version: Int64
    private(set) var updatedAt: Timestamp
    private(set) var reason: String?
    var providerReference: String?
    var providerAction: JSON?
    var reservation: ID<Reservation>?
    private(set) var transfers: [ID<Transfer>]
    /// Changes since it was loaded or made.
    private(set) var changes: [Change]

    /// A new one, `initiated`.
    init(
        id: ID<BankTransaction>,
        user: ID<User>,
        kind: Kind,
        amount: Money,
        fee: Money,
        account: String,
        counterparty: ID<User>? = nil,
        otherDomain: String? = nil,
        linkedAccount: ID<BankAccount>? = nil,
        provider: String? = nil,
        memo: String? = nil,
        quote: JSON,
        at now: Timestamp
    ) {
        (self.id, self.user, self.kind, self.amount, self.fee) = (id, user, kind, amount, fee)
        (self.account, self.counterparty, self.otherDomain) = (account, counterparty, otherDomain)
        (self.linkedAccount, self.provider, self.memo, self.quote) = (linkedAccount, provider, memo, quote)
        (createdAt, updatedAt, status, version, transfers) = (now, now, .initiated, 0, [])
        changes = [Change(from: nil, to: .initiated, reason: nil, metadata: nil)]
    }

    init(_ row: Row) throws {
        let code: String = try row["asset"]
        guard let asset = Asset(code: code) else { throw LedgerFault.unknownAsset(code) }
        (id, user, kind) = (try row["id"], try row["user_id"], try row["kind"])
        amount = Money(minorUnits: try row["amount"], asset)
        fee = Money(minorUnits: try row["fee"], asset)
        (account, counterparty, otherDomain) = (try row["account"], try row["counterparty"], try row["other_domain"])
        (linkedAccount, provider, memo) = (try row["linked_account"], try row["provider"], try row["memo"])
        quote = try row["quote"]
        (createdAt, updatedAt) = (try row["created_at"], try row["updated_at"])
        (status, version, reason) = (try row["status"], try row["version"], try row["reason"])
        (providerReference, providerAction) = (try row["provider_reference"], try row["provider_action"])
        (reservation, transfers, changes) = (try row["reservation"], try row["transfers"], [])
    }

    static let columns: SQL = """
        id, user_id, kind, status, version, asset, amount, fee, account, counterparty, other_domain, linked_account,
        provider, provider_reference, provider_action, reservation, transfers, reason, memo, quote, created_at,
        updated_at
        """

    /// What leaves the customer: the amount and the fee.
    var total: Money { amount + fee }

    var operation: ID<Operation> { id.cast() }

    /// Goes on to a status.
    mutating func advance(
        to next: TransactionStatus,
        reason: String? = nil,
        metadata: JSON? = nil
    ) throws(IllegalTransition) {
        guard status.successors.contains(next) else { throw IllegalTransition(from: status, to: next) }
        changes.append(Change(from: status, to: next, reason: reason, metadata: metadata))
        status = next
        if let reason { self.reason = reason }
    }

    /// Notes what the ledger did for it.
    mutating func record(_ receipt: LedgerCore.Receipt) {
        transfers += receipt.transfers.map(\.id)
        updatedAt = receipt.at
    }

    /// The same with its changes counted as stored.
    func stored(at instant: Timestamp) -> BankTransaction {
        var result = self
        result.version += 1
        result.updatedAt = instant
        result.changes = []
        return result
    }
}

extension BankTransaction {
    /// A step of a path that is known beforehand.
    struct Step: Sendable {
        let status: TransactionStatus
        let reason: String?
        let metadata: JSON?

        init(_ status: TransactionStatus, reason: String? = nil, metadata: JSON? = nil) {
            (self.status, self.reason, self.metadata) = (status, reason, metadata)
        }
    }

    /// Goes a path that the caller knows to be legal, as the first steps of a new transaction are.
    mutating func follow(_ steps: [Step]) {
        for step in steps {
            do {
                try advance(to: step.status, reason: step.reason, metadata: step.metadata)
            } catch {
                preconditionFailure("a path of statuses that no transaction has: \(error)")
            }
        }
    }

    /// Where the API shows it.
    var path: String { "/v1/banking/transactions/\(id.wire)" }
}

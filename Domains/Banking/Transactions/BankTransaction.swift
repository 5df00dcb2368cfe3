import HTTP
import Kernel
import Ledger
import PostgreSQL

/// Something that a customer does with money: a deposit, withdrawal, payment or transfer.
struct BankTransaction: Sendable, Entity {
    static let idPrefix = "txn"

    enum Kind: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        case deposit, withdrawal, payment, transfer
        /// Bought from a provider, to a wallet whose key the customer has; nothing of it is in our books.
        case purchase
        /// Sold to a provider, out of such a wallet.
        case sale
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
    /// The kind of the customer's ledger account that it is about: `checking`; `own_wallet` for what is in no book of
    /// ours, where it only counts towards limits.
    let account: String
    let counterparty: ID<User>?
    let otherDomain: String?
    let linkedAccount: ID<BankAccount>?
    let provider: String?
    /// The customer's own wallet of a purchase or sale, by CAIP-10.
    let wallet: String?
    let memo: String?
    /// The fee quote that was promised.
    let quote: JSON
    let createdAt: Timestamp
    private(set) var status: TransactionStatus
    /// How often it was stored.
    private(set) var version: Int64
    private(set) var updatedAt: Timestamp
    private(set) var reason: String?
    /// What was taken back of a deposit.
    private(set) var refunded: Money
    /// The transaction on the wallet's chain, once the provider names it.
    private(set) var chainHash: String?
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
        wallet: String? = nil,
        memo: String? = nil,
        quote: JSON,
        at now: Timestamp
    ) {
        (self.id, self.user, self.kind, self.amount, self.fee) = (id, user, kind, amount, fee)
        (self.account, self.counterparty, self.otherDomain) = (account, counterparty, otherDomain)
        (self.linkedAccount, self.provider, self.wallet) = (linkedAccount, provider, wallet)
        (self.memo, self.quote) = (memo, quote)
        (createdAt, updatedAt, status, version, transfers) = (now, now, .initiated, 0, [])
        refunded = .zero(amount.asset)
        changes = [Change(from: nil, to: .initiated, reason: nil, metadata: nil)]
    }

    init(_ row: Row) throws {
        let code: String = try row["asset"]
        guard let asset = Asset(code: code) else { throw LedgerFault.unknownAsset(code) }
        (id, user, kind) = (try row["id"], try row["user_id"], try row["kind"])
        amount = Money(minorUnits: try row["amount"], asset)
        fee = Money(minorUnits: try row["fee"], asset)
        refunded = Money(minorUnits: try row["refunded"], asset)
        (account, counterparty, otherDomain) = (try row["account"], try row["counterparty"], try row["other_domain"])
        (linkedAccount, provider, memo) = (try row["linked_account"], try row["provider"], try row["memo"])
        (quote, wallet, chainHash) = (try row["quote"], try row["wallet"], try row["chain_hash"])
        (createdAt, updatedAt) = (try row["created_at"], try row["updated_at"])
        (status, version, reason) = (try row["status"], try row["version"], try row["reason"])
        (providerReference, providerAction) = (try row["provider_reference"], try row["provider_action"])
        (reservation, transfers, changes) = (try row["reservation"], try row["transfers"], [])
    }

    static let columns: SQL = """
        id, user_id, kind, status, version, asset, amount, fee, refunded, account, counterparty, other_domain,
        linked_account, provider, provider_reference, provider_action, reservation, transfers, wallet, chain_hash,
        reason, memo, quote, created_at, updated_at
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

    /// Notes the transaction on the wallet's chain that a provider names; the last one counts.
    mutating func note(chainHash: String?) {
        if let chainHash, wallet != nil { self.chainHash = chainHash }
    }

    /// Counts what was taken back of a deposit; the whole of it ends its life as refunded.
    mutating func takeBack(_ part: Money, reason: String?, metadata: JSON?) throws(IllegalTransition) {
        refunded = refunded + part
        guard refunded == amount else {
            let note = reason ?? BankTransaction.partlyRefunded
            changes.append(Change(from: status, to: status, reason: note, metadata: metadata))
            return
        }
        if status == .completed { try advance(to: .compensating, reason: reason, metadata: metadata) }
        try advance(to: .refunded, reason: reason, metadata: metadata)
    }

    /// What events and audit log call the change that leaves a deposit completed though a part of it is gone.
    static let partlyRefunded = "partly_refunded"

    /// What its changes come to, in a word of events and the audit log.
    var news: String {
        let isPart = changes.last.map { $0.from == $0.to } ?? false
        return isPart ? BankTransaction.partlyRefunded : status.rawValue
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

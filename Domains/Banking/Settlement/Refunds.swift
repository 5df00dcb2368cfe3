import Kernel
import PostgreSQL

/// Something that was taken back of a deposit, as its provider told it.
struct Refund: StoredRow {
    enum Kind: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// One refund, which has an id.
        case refund
        /// All refunds so far, told as one number.
        case total
        /// A dispute.
        case chargeback
    }

    let provider: String
    /// The provider's id of the refund or dispute; of a total, its event's.
    let objectID: String
    let transaction: ID<BankTransaction>
    let kind: Kind
    /// What the provider says.
    let stated: Int128
    /// What was taken from the customer because of it.
    let taken: Int128

    static func store(_ rows: [Refund], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).refunds (provider, object_id, transaction, kind, stated, taken, recorded_at)
            select n.*, \(instant)
            from unnest(\(rows.map(\.provider)), \(rows.map(\.objectID)), \(rows.map(\.transaction)),
                \(rows.map(\.kind)), \(rows.map(\.stated)), \(rows.map(\.taken))) n
            returning 1
            """
        ]
    }
}

/// What was taken back of one deposit so far.
struct Refunds: Sendable {
    private let rows: [Refund]

    init(_ rows: [Refund]) { self.rows = rows }

    /// What an event adds; nil for one that was counted before.
    ///
    /// A provider may tell a refund by its own event, by one that says how much was given back in all, or by both, in
    /// any order: the greater of the sum and the total counts, so that neither is counted twice. Disputes come on top.
    ///
    /// - Throws: `Excess` where more would be taken back than the deposit was.
    func adding(_ event: ProviderEvent, from provider: String, to deposit: BankTransaction) throws(Excess) -> Refund? {
        let kind: Refund.Kind = event.state == .disputed ? .chargeback : event.part == nil ? .total : .refund
        let key = event.part ?? (kind == .chargeback ? "\(event.objectID).dispute" : event.id)
        guard !rows.contains(where: { $0.objectID == key }) else { return nil }
        let left = deposit.amount.minorUnits - deposit.refunded.minorUnits
        let stated = event.amount?.minorUnits ?? deposit.amount.minorUnits
        let taken: Int128
        switch kind {
        // The bank has taken it, whatever was refunded before; what is beyond the deposit is for the case's reader.
        case .chargeback: taken = min(stated, left)
        case .refund: taken = max(sum(.refund) + stated, most(.total)) - before
        case .total: taken = max(sum(.refund), most(.total), stated) - before
        }
        guard taken <= left, event.amount.map({ $0.asset == deposit.amount.asset }) ?? true, stated > 0 else {
            throw Excess(stated: stated, left: left)
        }
        return Refund(
            provider: provider,
            objectID: key,
            transaction: deposit.id,
            kind: kind,
            stated: stated,
            taken: taken
        )
    }

    /// More was given back at the provider than was paid.
    struct Excess: Error, Hashable {
        let stated: Int128
        let left: Int128
    }

    private var before: Int128 { max(sum(.refund), most(.total)) }

    private func sum(_ kind: Refund.Kind) -> Int128 {
        rows.reduce(0) { $1.kind == kind ? $0 + $1.stated : $0 }
    }

    private func most(_ kind: Refund.Kind) -> Int128 {
        rows.reduce(0) { $1.kind == kind ? max($0, $1.stated) : $0 }
    }
}

extension Transactions {
    /// What was taken back of a deposit.
    func refunds(of deposit: ID<BankTransaction>) async throws -> Refunds {
        let rows = try await pool.query(
            """
            select provider, object_id, kind, stated, taken from \(schema).refunds where transaction = \(deposit)
            """
        )
        return Refunds(
            try rows.map { row in
                Refund(
                    provider: try row["provider"],
                    objectID: try row["object_id"],
                    transaction: deposit,
                    kind: try row["kind"],
                    stated: try row["stated"],
                    taken: try row["taken"]
                )
            }
        )
    }
}

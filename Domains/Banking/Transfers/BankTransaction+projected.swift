import Kernel
import PostgreSQL

extension BankTransaction {
    /// What projections want to know of it, in the shape that the transactions of all domains share.
    func projected(balances: JSON) -> JSON {
        [
            "transaction": .string(id.wire), "user": .string(user.wire), "kind": .string(kind.rawValue),
            "status": .string(status.rawValue), "asset": .string(amount.asset.code), "amount": .string(amount.wire),
            "fee": .string(fee.wire), "account": .string(account),
            "counterparty": counterparty.map { .string($0.wire) } ?? .null,
            "other_domain": otherDomain.map { .string($0) } ?? .null, "balances": balances,
        ]
    }
}

extension Transactions {
    /// The transactions as projections want them, in the order of their ids, after one of them; at most `limit`.
    func export(
        after id: UInt128,
        limit: Int
    ) async throws -> [(id: UInt128, version: Int64, at: Timestamp, payload: JSON)] {
        try await pool.query(
            """
            select \(BankTransaction.columns) from \(schema).transactions
            where id > \(id)
            order by id
            limit \(limit)
            """
        ).map { row in
            let transaction = try BankTransaction(row)
            return (
                transaction.id.value, transaction.version, transaction.updatedAt, transaction.projected(balances: [])
            )
        }
    }
}

import HTTP
import Kernel
import Ledger
import PostgreSQL

/// Which of a customer's transactions are asked for.
struct TransactionFilter: Sendable {
    var kind: BankTransaction.Kind?
    var status: TransactionStatus?
    var asset: Asset?
    var from: Timestamp?
    var to: Timestamp?
}

/// Reads transactions.
struct Transactions: Sendable {
    let schema: Schema
    let pool: Pool

    /// A transaction by id, whosever it is.
    func find(_ id: ID<BankTransaction>) async throws -> BankTransaction? {
        try await pool.query("select \(BankTransaction.columns) from \(schema).transactions where id = \(id)")
            .first.map(BankTransaction.init)
    }

    /// A transaction that a user started or was paid by.
    ///
    /// - Throws: 404 for somebody else's, as for none.
    func get(_ id: ID<BankTransaction>, for user: ID<User>) async throws -> BankTransaction {
        guard let transaction = try await find(id), transaction.user == user || transaction.counterparty == user else {
            throw Problem.notFound
        }
        return transaction
    }

    /// The transaction that a provider's object belongs to.
    func find(provider: String, objectID: String) async throws -> BankTransaction? {
        try await pool.query(
            """
            select \(BankTransaction.columns) from \(schema).transactions
            where id = (select transaction from \(schema).provider_objects
                where provider = \(provider) and object_id = \(objectID))
            """
        ).first.map(BankTransaction.init)
    }

    /// Those that wait for a person, transfers to other domains not among them, in the order of their ids, after one of
    /// them.
    func inReview(after id: UInt128, limit: Int) async throws -> [BankTransaction] {
        try await pool.query(
            """
            select \(BankTransaction.columns) from \(schema).transactions
            where status = 'in_review' and kind <> 'transfer' and id > \(id) order by id limit \(limit)
            """
        ).map(BankTransaction.init)
    }

    /// What the ledger did for a transaction, in the order of posting.
    func legs(of transaction: BankTransaction) async throws -> [TransferLegs] {
        try await pool.query(
            """
            select id, debit_account, credit_account, amount from \(schema).ledger_transfers
            where id = any(\(transaction.transfers)) order by id
            """
        ).map { row in
            TransferLegs(
                id: try row["id"],
                debit: try row["debit_account"],
                credit: try row["credit_account"],
                amount: try row["amount"]
            )
        }
    }

    /// A page of a user's transactions, newest first, one more than the page's limit if there are more.
    func list(of user: ID<User>, _ filter: TransactionFilter, _ page: Page) async throws -> [BankTransaction] {
        let before = page.after?.id ?? UInt128.max
        // Two index ranges, each read from its end, instead of one range with an `or` over both columns.
        let rows = try await pool.query(
            """
            select * from (
                (\(branch("user_id = \(user)", filter, before, page.limit)))
                union
                (\(branch("counterparty = \(user)", filter, before, page.limit)))
            ) t order by id desc limit \(page.limit + 1)
            """
        )
        return try rows.map(BankTransaction.init)
    }

    private func branch(_ whose: SQL, _ filter: TransactionFilter, _ before: UInt128, _ limit: Int) -> SQL {
        var sql: SQL = "select \(BankTransaction.columns) from \(schema).transactions where \(whose) and id < \(before)"
        if let kind = filter.kind { sql += " and kind = \(kind)" }
        if let status = filter.status { sql += " and status = \(status)" }
        if let asset = filter.asset { sql += " and asset = \(asset.code)" }
        if let from = filter.from { sql += " and created_at >= \(from)" }
        if let to = filter.to { sql += " and created_at < \(to)" }
        sql += " order by id desc limit \(limit + 1)"
        return sql
    }
}

import Fees
import HTTP
import Kernel
import Ledger
import PostgreSQL

/// Which of a customer's transfers are asked for.
struct TransferFilter: Sendable {
    var status: String?
    var direction: DomainTransfer.Direction?
    var other: String?
    var asset: String?
    var from: Timestamp?
    var to: Timestamp?
}

/// The transfers that a schema keeps.
struct Transfers: Sendable {
    let schema: Schema
    let pool: Pool

    private static let columns: SQL = """
        id, direction, user_id, other_domain, account, asset, amount, fee, status, version, ledger_transfers, reason,
        reservation, created_at, updated_at
        """

    /// A transfer by id, whosever it is.
    func find(_ id: ID<DomainTransfer>) async throws -> DomainTransfer? {
        try await pool.query("select \(Transfers.columns) from \(schema).transfers where id = \(id)").first.map(read)
    }

    /// A user's transfer.
    ///
    /// - Throws: 404 for somebody else's, and for one that this domain refused: the customer never had it here.
    func get(_ id: ID<DomainTransfer>, of user: ID<User>) async throws -> DomainTransfer {
        guard let transfer = try await find(id), transfer.user == user else { throw Transfers.notFound }
        if case .refused = transfer.state { throw Transfers.notFound }
        return transfer
    }

    private static let notFound = Problem(404, "not_found", "There is no such transfer.")

    /// A page of a user's transfers, newest first, one more than the page's limit if there are more.
    func list(of user: ID<User>, _ filter: TransferFilter, _ page: Page) async throws -> [DomainTransfer] {
        var sql: SQL = """
            select \(Transfers.columns) from \(schema).transfers
            where user_id = \(user) and id < \(page.after?.id ?? UInt128.max) and status <> 'refused'
            """
        if let status = filter.status { sql += " and status = \(status)" }
        if let direction = filter.direction { sql += " and direction = \(direction)" }
        if let other = filter.other { sql += " and other_domain = \(other)" }
        if let asset = filter.asset { sql += " and asset = \(asset)" }
        if let from = filter.from { sql += " and created_at >= \(from)" }
        if let to = filter.to { sql += " and created_at < \(to)" }
        sql += " order by id desc limit \(page.limit + 1)"
        return try await pool.query(sql).map(read)
    }

    /// A page of all transfers in the order of their ids, after one of them.
    func page(after id: UInt128, limit: Int) async throws -> [DomainTransfer] {
        try await pool.query(
            """
            select \(Transfers.columns) from \(schema).transfers
            where id > \(id) and status <> 'refused'
            order by id
            limit \(limit)
            """
        ).map(read)
    }

    /// Those that wait for a person, in the order of their ids, after one of them.
    func inReview(after id: UInt128, limit: Int) async throws -> [DomainTransfer] {
        try await pool.query(
            """
            select \(Transfers.columns) from \(schema).transfers
            where status = 'in_review' and id > \(id)
            order by id
            limit \(limit)
            """
        ).map(read)
    }

    /// The fees that were promised for a transfer whose money is held; nil for no such reservation.
    func quote(of reservation: ID<Reservation>) async throws -> FeeQuote? {
        let rows = try await pool.query("select quote from \(schema).reservations where id = \(reservation)")
        guard let json: JSON = try rows.first?["quote"] else { return nil }
        return try FeeQuote(json: json)
    }

    /// The legs of ledger transfers, in the order of their making.
    func legs(of made: [ID<Transfer>]) async throws -> [TransferLegs] {
        try await pool.query(
            """
            select id, debit_account, credit_account, amount from \(schema).ledger_transfers
            where id = any(\(made))
            order by id
            """
        ).map { TransferLegs(id: try $0[0], debit: try $0[1], credit: try $0[2], amount: try $0[3]) }
    }

    /// Seconds since the oldest transfer left that no answer has come to, by the domain that it goes to.
    func oldestInTransit() async throws -> [String: Double] {
        let rows = try await pool.query(
            """
            select other_domain, extract(epoch from clock_timestamp() - min(updated_at))::double precision as age
            from \(schema).transfers
            where status = 'in_transit'
            group by other_domain
            """
        )
        return Dictionary(try rows.map { (try $0[0], max(try $0[1], 0)) }, uniquingKeysWith: max)
    }

    /// What stands on the in-transit accounts, by other domain and asset code, in minor units.
    func inTransitBalances() async throws -> [String: [String: Int128]] {
        let rows = try await pool.query(
            """
            select substr(kind, length('in_transit:') + 1) as other, asset, posted
            from \(schema).ledger_accounts
            where owner = \(AccountKey.house) and kind like 'in\\_transit:%'
            """
        )
        var balances: [String: [String: Int128]] = [:]
        for row in rows {
            let (other, asset): (String, String) = (try row[0], try row[1])
            balances[other, default: [:]][asset] = try row[2]
        }
        return balances
    }

    private func read(_ row: Row) throws -> DomainTransfer {
        let (code, status): (String, String) = (try row["asset"], try row["status"])
        guard let asset = Asset(code: code) else { throw LedgerFault.unknownAsset(code) }
        guard let state = DomainTransfer.State(name: status, reason: try row["reason"]) else {
            throw UnknownStatus(name: status)
        }
        let order = TransferOrder(
            user: try row["user_id"],
            amount: Money(minorUnits: try row["amount"], asset),
            other: try row["other_domain"]
        )
        return DomainTransfer(
            order: order,
            id: try row["id"],
            direction: try row["direction"],
            account: try row["account"],
            fee: Money(minorUnits: try row["fee"], asset),
            state: state,
            version: try row["version"],
            reservation: try row["reservation"],
            ledgerTransfers: try row["ledger_transfers"],
            createdAt: try row["created_at"],
            updatedAt: try row["updated_at"]
        )
    }

    private struct UnknownStatus: Error { let name: String }
}

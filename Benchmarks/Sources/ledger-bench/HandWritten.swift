import Kernel
import Ledger
import Measuring
import PostgreSQL

/// The baselines: what the server does with code written by hand.
struct HandWritten: Sendable {
    /// Accounts of the hand-written ledger, as many as ours has.
    static let accounts = 10_000
    /// Transfers of a hand-written batch.
    static let batchSize = 500

    /// Which accounts transfers debit.
    enum Spread: String, Sendable {
        /// All of them alike.
        case uniform = "10,000 accounts"
        /// One of them, always.
        case hot = "one hot account"
    }

    let pgbench: PGBench
    private let pool: Pool
    private let ids = IDGenerator()

    /// Makes the baselines' schema.
    init(url: String, pgbench: PGBench) async throws {
        self.pgbench = pgbench
        pool = Pool(ConnectionOptions(url: url, applicationName: "by-hand"), size: 4)
        _ = try await pool.withConnection { try await $0.execute(script: HandWritten.schema) }
    }

    /// The server's round trip, parser and nothing else.
    func selectOne(clients: Int) -> Contestant {
        pgbench.contestant("pgbench select 1", clients: clients, script: "select 1;\n")
    }

    /// One row by its key.
    func selectByKey(clients: Int) -> Contestant {
        pgbench.contestant(
            "pgbench select by key",
            clients: clients,
            script: "\\set id random(1, 100000)\nselect amount from by_hand.rows where id = :id;\n"
        )
    }

    /// Four statements, one of which writes.
    func smallTransaction(clients: Int) -> Contestant {
        pgbench.contestant(
            "pgbench begin, update, select, commit",
            clients: clients,
            script: """
                \\set id random(1, 100000)
                begin;
                update by_hand.rows set amount = amount + 1 where id = :id;
                select amount from by_hand.rows where id = :id;
                commit;

                """
        )
    }

    /// `by_hand.transfer`, a transfer a transaction.
    func transfer(_ spread: Spread, clients: Int) -> Contestant {
        let accounts = HandWritten.accounts
        let debit = spread == .hot ? "1" : "random(1, \(accounts))"
        return pgbench.contestant(
            "hand-written transfer(), \(spread.rawValue), \(clients) clients",
            clients: clients,
            script: """
                \\set debit \(debit)
                \\set credit 1 + (:debit + random(0, \(accounts - 2))) % \(accounts)
                select by_hand.transfer(by_hand.next_id(), by_hand.account(:debit), by_hand.account(:credit), 5);

                """
        )
    }

    /// `by_hand.transfer_batch`, called by the Swift client, as our own batches are.
    func batch(_ spread: Spread, clients: Int) -> Contestant {
        let name = "hand-written set-based batch of \(HandWritten.batchSize), \(spread.rawValue)"
        return Contestant(name, clients: clients) { seconds in
            try await Callers.atFullSpeed(clients, seconds: Double(seconds)) { random in
                try await batch(spread, &random)
            }
        }
    }

    private func batch(_ spread: Spread, _ random: inout SplitMix) async throws -> Int {
        var (debits, credits): ([UInt128], [UInt128]) = ([], [])
        for _ in 0..<HandWritten.batchSize {
            let debit = spread == .hot ? 0 : Int.random(in: 0..<HandWritten.accounts, using: &random)
            let step = Int.random(in: 1..<HandWritten.accounts, using: &random)
            debits.append(HandWritten.account(debit))
            credits.append(HandWritten.account((debit + step) % HandWritten.accounts))
        }
        let newIDs: [ID<Transfer>] = debits.map { _ in ids.next() }
        let amounts = debits.map { _ in Int128(5) }
        _ = try await pool.query("select by_hand.transfer_batch(\(newIDs), \(debits), \(credits), \(amounts))")
        return debits.count
    }

    // As `by_hand.account` has it, which counts from 1.
    private static func account(_ index: Int) -> UInt128 { 0x7000_8000 << 48 | UInt128(index + 1) }

    /// A queue in a table, an event a transaction.
    func queue(clients: Int) -> Contestant {
        let inner = pgbench.contestant(
            "hand-written queue, an event a transaction",
            clients: clients,
            script: """
                update by_hand.queue set is_done = true
                where id = (select id from by_hand.queue where not is_done order by id for update skip locked limit 1);

                """
        )
        return Contestant(inner.name, clients: clients) { seconds in
            // More than any server of this size handles in that time.
            _ = try await pool.query(
                """
                insert into by_hand.queue (payload)
                select '{"amount": "5.00", "asset": "USD", "code": "payment"}'
                from generate_series(1, \(seconds) * 25000)
                """
            )
            let round = try await inner.round(seconds: seconds)
            _ = try await pool.query("truncate by_hand.queue")
            return round
        }
    }

    /// Bytes that a transfer takes with its entries and all indexes.
    func bytesPerTransfer() async throws -> Double {
        let rows = try await pool.query(
            """
            select (pg_total_relation_size('by_hand.transfers') + pg_total_relation_size('by_hand.entries'))
                ::double precision / greatest((select count(*) from by_hand.transfers), 1) as bytes
            """
        )
        return try rows[0]["bytes"]
    }
}

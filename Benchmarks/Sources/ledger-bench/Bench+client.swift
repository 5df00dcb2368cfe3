import BenchServers
import Measuring
import PostgreSQL

extension Bench {
    private static let clientCounts = [8, 32]

    /// Our PostgreSQL client beside pgbench, with the same statements.
    var clientRows: [Measurement] {
        Bench.clientCounts.flatMap { clients in
            let pool = Pool(ConnectionOptions(url: server.url, applicationName: "client-bench"), size: clients)
            return [
                contest(selectOne(pool), against: byHand.selectOne(clients: clients)),
                contest(selectByKey(pool), against: byHand.selectByKey(clients: clients)),
                contest(sameStatements(pool), against: byHand.smallTransaction(clients: clients)),
                contest(
                    transaction(pool),
                    against: byHand.smallTransaction(clients: clients),
                    note: "begin travels with the first statement; the transaction's number is asked for as well"
                ),
            ]
        }
    }

    private func selectOne(_ pool: Pool) -> Contestant {
        caller("select 1 by our client", pool) { connection, _ in
            let rows = try await connection.query("select 1")
            let one: Int = try rows[0][0]
            return one
        }
    }

    private func selectByKey(_ pool: Pool) -> Contestant {
        caller("select by key by our client", pool) { connection, random in
            let id = Int.random(in: 1...100_000, using: &random)
            let rows = try await connection.query("select amount from by_hand.rows where id = \(id)")
            let _: Int = try rows[0]["amount"]
            return 1
        }
    }

    private func sameStatements(_ pool: Pool) -> Contestant {
        caller("begin, update, select, commit by our client", pool) { connection, random in
            let id = Int.random(in: 1...100_000, using: &random)
            _ = try await connection.query("begin")
            _ = try await connection.query("update by_hand.rows set amount = amount + 1 where id = \(id)")
            let rows = try await connection.query("select amount from by_hand.rows where id = \(id)")
            let _: Int = try rows[0]["amount"]
            _ = try await connection.query("commit")
            return 1
        }
    }

    private func transaction(_ pool: Pool) -> Contestant {
        Contestant("update, select in withTransaction", clients: pool.size) { seconds in
            try await Callers.atFullSpeed(pool.size, seconds: Double(seconds)) { random in
                let id = Int.random(in: 1...100_000, using: &random)
                return try await pool.withTransaction { transaction in
                    _ = try await transaction.query("update by_hand.rows set amount = amount + 1 where id = \(id)")
                    let rows = try await transaction.query("select amount from by_hand.rows where id = \(id)")
                    let _: Int = try rows[0]["amount"]
                    return 1
                }
            }
        }
    }

    /// As many callers as the pool has connections, each of which borrows one for each call, as all our code does.
    private func caller(
        _ name: String,
        _ pool: Pool,
        _ body: @escaping @Sendable (Connection, inout SplitMix) async throws -> Int
    ) -> Contestant {
        Contestant(name, clients: pool.size) { seconds in
            try await Callers.atFullSpeed(pool.size, seconds: Double(seconds)) { random in
                var own = random
                let done = try await pool.withConnection { connection in try await body(connection, &own) }
                random = own
                return done
            }
        }
    }
}

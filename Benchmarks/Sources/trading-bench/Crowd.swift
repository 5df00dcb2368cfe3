import BenchServers
import Kernel
import Ledger
import PostgreSQL

/// Users who trade, with more money than a run can spend.
struct Crowd: Sendable {
    /// Satoshis and millionths of a USDC.
    private static let funds: [(asset: Asset, amount: Int128)] = [
        (.btc, 10_000_000_000_000), (.usdc, 10_000_000_000_000_000),
    ]
    private static let transfersAtOnce = 500

    let venue: Venue
    let users: [ID<User>]

    /// Makes so many of them, before anybody writes.
    static func make(_ count: Int, at venue: Venue) async throws -> Crowd {
        let users: [ID<User>] = (0..<count).map { _ in venue.ids.next() }
        let names = users.map { "bench" + $0.description.replacing("-", with: "").suffix(20) }
        let hash = "$2b$10$" + String(repeating: "a", count: 53)
        try await venue.server.withLogin { connection in
            _ = try await connection.query(
                """
                insert into platform.users (id, email, username, password_hash, created_at, updated_at)
                select u.id, u.name || '@example.com', u.name, \(hash), now(), now()
                from unnest(\(users), \(names)) as u(id, name)
                """
            )
        }
        let ledger = Ledger(schema: .investing, pool: venue.pool)
        let book = LedgerAccounts(schema: .investing, pool: venue.pool, ids: venue.ids)
        var items: [LedgerItem] = []
        for (asset, amount) in funds {
            let house = try await book.open(AccountKey(house: "bench_source", asset), mayGoNegative: true)
            for user in users {
                let gift = NewTransfer(
                    id: venue.ids.next(),
                    debit: house,
                    credit: try await book.open(AccountKey(user, "trading", asset)),
                    amount: amount,
                    code: "deposit"
                )
                items.append(LedgerItem(operation: venue.ids.next(), commands: [.transfer(gift)]))
            }
        }
        for start in stride(from: 0, to: items.count, by: transfersAtOnce) {
            let part = Array(items[start..<min(start + transfersAtOnce, items.count)])
            for outcome in try await ledger.submit(batch: part) {
                guard case .done = outcome else { throw Venue.Refused(target: "gift", status: 0, body: "\(outcome)") }
            }
        }
        return Crowd(venue: venue, users: users)
    }

    /// Opens everybody's trading account.
    func open() async throws {
        for user in users { try await venue.ask("GET", "/v1/investing/orders", as: user, expecting: 200) }
    }
}

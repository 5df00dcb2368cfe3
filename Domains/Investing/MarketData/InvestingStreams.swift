import DepthFeed
import HTTP
import Kernel
import PostgreSQL
import Streams

extension TradingAccount.Kind {
    /// The personal channel of an account of the kind.
    var streamName: String { self == .brokerage ? "orders" : "orders-\(rawValue)" }
}

/// The channels of Investing.
struct InvestingStreams: Sendable {
    let schema: Schema
    let pool: Pool
    let markets: Markets
    let accounts: TradingAccounts
    let feed: MarketFeed
    /// Whether this process writes, and so knows the books.
    let isWriter: @Sendable () -> Bool

    /// Updates of a book after which new subscribers get a new snapshot.
    static let followersMax = 100

    var families: [StreamFamily] {
        [states, depth, trades, ticker, klines] + TradingAccount.Kind.allCases.map(orders)
    }

    /// A market's state and rules, by the market's count of news of them.
    private var states: StreamFamily {
        .open("markets", opening: .snapshot { try await market($0) }, ring: .small, exists: { try await isMarket($0) })
    }

    private var depth: StreamFamily {
        .open(
            "depth",
            opening: .snapshot { book($0) },
            followersMax: InvestingStreams.followersMax,
            exists: { try await isMarket($0) }
        )
    }

    private var trades: StreamFamily {
        .open("trades", opening: .nothing, exists: { try await isMarket($0) })
    }

    private var ticker: StreamFamily {
        .open("ticker", opening: .last, ring: .small, exists: { try await isMarket($0) })
    }

    private var klines: StreamFamily {
        .open("klines", opening: .last, ring: .small) { key in
            guard let colon = key.lastIndex(of: ":"),
                KlinePeriod(rawValue: String(key[key.index(after: colon)...])) != nil
            else { return false }
            return try await isMarket(String(key[..<colon]))
        }
    }

    /// The account's state is its count of events; what they were is read over HTTP.
    private func orders(_ kind: TradingAccount.Kind) -> StreamFamily {
        .personal(
            kind.streamName,
            opening: .snapshot { try await count($0) },
            access: .permission("investing:read"),
            key: { try await accounts.account(of: $0.user, kind).id.wire }
        )
    }

    private func isMarket(_ symbol: String) async throws -> Bool {
        try await markets.all().contains { $0.market.symbol == symbol }
    }

    private func market(_ symbol: String) async throws -> StreamSnapshot? {
        let rows = try await pool.query(StoredMarket.one(symbol, in: schema))
        guard let stored = try rows.first.map({ try StoredMarket($0) }) else { return nil }
        let state: JSON = ["market": stored.json, "cause": .null]
        return StreamSnapshot(sequence: stored.events, payload: state.serialized())
    }

    private func book(_ symbol: String) -> StreamSnapshot? {
        guard isWriter(), let book = feed.book(symbol) else { return nil }
        return StreamSnapshot(sequence: book.sequence, payload: book.snapshot.encoded())
    }

    private func count(_ key: String) async throws -> StreamSnapshot? {
        guard let id = ID<TradingAccount>(wire: key) else { return nil }
        let rows = try await pool.query("select events from \(schema).accounts where id = \(id)")
        guard let row = rows.first else { return nil }
        let events: Int64 = try row["events"]
        let state: JSON = ["account": .string(key), "sequence": .integer(events)]
        return StreamSnapshot(sequence: events, payload: state.serialized())
    }
}

import Kernel
import PostgreSQL

/// What followed wallets of Bitcoin can spend, as of the block that they were last read in.
struct Coins: Sendable {
    /// Coins that are chosen from at most, the largest ones.
    static let chosenFromMax = 2_000
    /// New money can be spent in so many blocks (Bitcoin Core, COINBASE_MATURITY).
    static let maturityBlocks: Int64 = 100

    let schema: Schema
    let pool: Pool
    /// CAIP-2.
    let chain: String

    /// What an address can spend in the next block; nil while its wallet isn't read.
    func spendable(of address: String, besides used: Set<String>) async throws -> [CoinSelection.Coin]? {
        let rows = try await pool.query(
            """
            select c.head from \(schema).wallets w
            join \(schema).wallet_reads r on r.wallet = w.id and not r.is_due
            join \(schema).chains c on c.name = r.chain and c.head is not null
            where w.account = \(chain + ":" + address) and w.status = 'verified'
            """
        )
        guard let row = rows.first else { return nil }
        let head: Int64 = try row["head"]
        return try await pool.query(
            """
            select item, amount from \(schema).coins
            where chain = \(chain) and address = \(address) and item <> all(\(Array(used)))
                and (not is_minted or number <= \(head + 1 - Coins.maturityBlocks))
            order by amount desc, item limit \(Coins.chosenFromMax)
            """
        ).map { row in
            let amount: Int128 = try row["amount"]
            return CoinSelection.Coin(item: try row["item"], amount: Int64(clamping: amount))
        }
    }

    /// What addresses have in all, but for some outputs.
    func sums(of addresses: [String], besides spent: [String]) async throws -> [String: Int128] {
        let rows = try await pool.query(
            """
            select address, sum(amount) as sum from \(schema).coins
            where chain = \(chain) and address = any(\(addresses)) and item <> all(\(spent)) group by address
            """
        )
        var sums: [String: Int128] = [:]
        for row in rows { sums[try row["address"]] = try row["sum"] }
        return sums
    }
}

/// What a block, or a look at all of it, makes of the coins of addresses.
struct CoinsRow: StoredRow {
    let chain: String
    /// Addresses of which nothing else is kept.
    var anew: [String] = []
    var spent: [String] = []
    var made: [(number: Int64, coin: PaymentBlock.Coin)] = []

    static func store(_ rows: [CoinsRow], in schema: Schema, at: Timestamp) -> [SQL] {
        rows.flatMap { row -> [SQL] in
            let coins = row.made.map(\.coin)
            return [
                """
                delete from \(schema).coins
                where chain = \(row.chain) and (address = any(\(row.anew)) or item = any(\(row.spent)))
                """,
                """
                insert into \(schema).coins (chain, item, address, amount, number, is_minted)
                select \(row.chain), n.item, n.address, n.amount, n.number, n.is_minted
                from unnest(\(coins.map(\.item)), \(coins.map(\.address)), \(coins.map(\.amount)),
                    \(row.made.map(\.number)), \(coins.map(\.isMinted)))
                    as n(item, address, amount, number, is_minted)
                """,
            ]
        }
    }

    static var mustTouchEachRow: Bool { false }
}

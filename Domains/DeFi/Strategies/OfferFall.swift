import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// What a share of an offer was worth and is: validators were punished, a vault lost.
struct OfferFall: Hashable, Sendable {
    let offer: String
    /// What 10^18 shares were worth in the block before, and what they are, in the asset's minor units.
    let before: Int128
    let after: Int128
    /// The block that shows it.
    let block: BlockReference
    /// The last strategy that was told of it.
    var told = ID<Strategy>(0)

    /// A fall by a billionth or more; nil for anything else.
    ///
    /// Less is rounding.
    init?(of offer: String, from before: Int128, to after: Int128, at block: BlockReference) {
        guard before > 0, after >= 0, after < before, before - after >= max(1, before / StrategyRules.one) else {
            return nil
        }
        (self.offer, self.before, self.after, self.block) = (offer, before, after, block)
    }

    /// What was lost, in billionths of what it was worth.
    var fraction: Int64 {
        let lost = BigUInt(before - after) * BigUInt.powerOfTen(Billionths.places) / BigUInt(before)
        return Int64(clamping: lost.int128 ?? .max)
    }
}

/// Tells all who have a strategy in an offer that a share of it is worth less, each fall once.
struct FallTeller: Sendable {
    /// Strategies that are told in one transaction.
    static let pageMax = 500
    /// Falls that are looked after in one block.
    static let fallsMax = 20

    let chain: EthereumChain
    let schema: Schema
    let pool: Pool
    let ids: IDGenerator
    let unreadable: UnreadableRows

    /// Falls of which not all have been told.
    func due() async throws -> [OfferFall] {
        try await pool.query(
            """
            select offer, share_before, share_after, number, hash, told from \(schema).offer_falls
            where chain = \(chain.name) and not is_told order by number, offer limit \(FallTeller.fallsMax)
            """
        ).compactMap { row in
            let hash: Bytes = try row["hash"]
            let block = BlockReference(number: try row["number"], hash: hash.array)
            let (before, after): (Int128, Int128) = (try row["share_before"], try row["share_after"])
            var fall = OfferFall(of: try row["offer"], from: before, to: after, at: block)
            fall?.told = try row["told"]
            return fall
        }
    }

    /// What tells the next strategies of a fall.
    func item(_ fall: OfferFall) async throws -> LedgerItem {
        let found = try await pool.query(
            """
            select \(Strategy.columns) from \(schema).strategies s
            where s.chain = \(chain.name) and s.offer = \(fall.offer) and s.status <> 'stopped' and s.id > \(fall.told)
            order by s.id limit \(FallTeller.pageMax)
            """
        )
        let strategies = try unreadable.readable(found) { try Strategy($0) }.values
        let facts: JSON = [
            "offer": .string(fall.offer), "fraction": .string(Billionths.text(fall.fraction)),
            "share_before": .string(String(fall.before)), "share_after": .string(String(fall.after)),
            "block": .string(HexText.encode(fall.block.hash)), "number": .integer(fall.block.number),
        ]
        var rows: [any StoredRow] = [
            ToldFallRow(
                chain: chain.name,
                fall: fall,
                last: try found.last?["id"] ?? fall.told,
                isTold: found.count < Self.pageMax
            )
        ]
        for strategy in strategies {
            rows.append(
                StrategyAlert.event(Self.rule, strategy, outcome: Self.outcome, facts: facts, intent: nil, ids)
            )
        }
        let stored = rows
        return LedgerItem(operation: ids.next(), commands: []) { _, _ in .init(rows: stored) }
    }

    /// What alerts name as their rule: no limit of a strategy's own.
    static let rule = "share_price"
    private static let outcome = "share_price_fell"
}

/// What a share of an offer is worth since a block.
struct OfferShareRow: StoredRow {
    let chain: String
    let offer: String
    let number: Int64
    /// Of 10^18 shares, in the asset's minor units.
    let price: Int128

    static func store(_ rows: [OfferShareRow], in schema: Schema, at: Timestamp) -> [SQL] {
        let (chains, offers, numbers) = (rows.map(\.chain), rows.map(\.offer), rows.map(\.number))
        return [
            """
            insert into \(schema).offer_shares as s (chain, offer, number, share_price)
            select * from unnest(\(chains), \(offers), \(numbers), \(rows.map(\.price)))
            on conflict (chain, offer, number) do update set share_price = excluded.share_price
            """,
            // Those that a reorganisation may come back to are kept.
            """
            delete from \(schema).offer_shares s
            using unnest(\(chains), \(offers), \(numbers)) as n(chain, offer, number)
            where s.chain = n.chain and s.offer = n.offer
                and s.number < (
                    select max(o.number) from \(schema).offer_shares o
                    where o.chain = n.chain and o.offer = n.offer
                        and o.number <= n.number - \(ChainBlocks.reorganisationMax))
            """,
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

/// A fall that a block shows; one that was told already, before the block was taken back, isn't told again.
struct OfferFallRow: StoredRow {
    let chain: String
    let fall: OfferFall

    static func store(_ rows: [OfferFallRow], in schema: Schema, at: Timestamp) -> [SQL] {
        rows.flatMap { row -> [SQL] in
            let (fall, block) = (row.fall, row.fall.block)
            return [
                """
                delete from \(schema).offer_falls
                where chain = \(row.chain) and is_told and number < \(block.number - ChainBlocks.keptMax)
                """,
                """
                insert into \(schema).offer_falls as f (chain, offer, share_before, share_after, number, hash)
                values (\(row.chain), \(fall.offer), \(fall.before), \(fall.after), \(block.number),
                    \(Bytes(block.hash)))
                on conflict (chain, offer, share_before, share_after) do update
                set number = excluded.number, hash = excluded.hash where not f.is_told
                """,
            ]
        }
    }

    static var mustTouchEachRow: Bool { false }
}

/// How far strategies have been told of a fall; stored only on top of what it was made from.
struct ToldFallRow: StoredRow {
    let chain: String
    let fall: OfferFall
    let last: ID<Strategy>
    let isTold: Bool

    static func store(_ rows: [ToldFallRow], in schema: Schema, at: Timestamp) -> [SQL] {
        let falls = rows.map(\.fall)
        return [
            """
            update \(schema).offer_falls f set told = n.last, is_told = n.is_told
            from unnest(\(rows.map(\.chain)), \(falls.map(\.offer)), \(falls.map(\.before)), \(falls.map(\.after)),
                \(falls.map(\.told)), \(rows.map(\.last)), \(rows.map(\.isTold)))
                as n(chain, offer, share_before, share_after, told, last, is_told)
            where f.chain = n.chain and f.offer = n.offer and f.share_before = n.share_before
                and f.share_after = n.share_after and f.told = n.told and not f.is_told
            returning 1
            """
        ]
    }
}

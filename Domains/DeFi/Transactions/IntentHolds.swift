import DomainKit
import Kernel
import Ledger
import PostgreSQL

/// What intents and payments hold of what their wallets have, in the books, from the moment they are built until they
/// end.
///
/// The books of a wallet follow the chain: what is held can be less than what is to leave, never more than there is.
/// Each reading of a wallet ends what was for transactions that a block has by then, in the operation that posts what
/// they moved, and raises what is for the others as far as there is more. Those that take each other's place hold once.
struct IntentHolds: Sendable {
    /// The kind of these reservations.
    static let kind = "intent"

    /// What one of them may take of an asset.
    struct Hold: Hashable, Sendable {
        /// The first of those that take each other's place.
        let intent: ID<Intent>
        let user: ID<User>
        let asset: Asset
        /// In minor units, at most.
        var amount: Int128
        /// What holds it; not made yet where there was nothing to hold.
        var reservation: ID<Reservation>
        /// In minor units.
        var held: Int128 = 0
        /// Whether the reservation gave way altogether: another one is to be made.
        var hasEnded = false
        /// Whether a block has it, or something else in its place, or it is over.
        var isPast = false
    }

    /// What stores a change of holds.
    struct Change: Sendable {
        var commands: [LedgerCommand] = []
        var rows: [any StoredRow] = []

        static func + (left: Change, right: Change) -> Change {
            Change(commands: left.commands + right.commands, rows: left.rows + right.rows)
        }
    }

    let schema: Schema
    let pool: Pool
    let accounts: LedgerAccounts
    let ids: IDGenerator
    /// CAIP-2.
    let chain: String

    init(_ runtime: DomainRuntime, ids: IDGenerator, chain: String) {
        (schema, pool, accounts) = (runtime.schema, runtime.pool, runtime.accounts)
        (self.ids, self.chain) = (ids, chain)
    }

    // MARK: Beginning

    /// What holds what an intent may take, as far as the books have it; of those that take each other's place, what
    /// the dearest one may.
    func opening(
        _ intent: ID<Intent>,
        of user: ID<User>,
        taking amounts: [Asset: Int128],
        isNew: Bool
    ) async throws -> Change {
        let known = isNew ? [] : try await find("h.intent = \(intent)")
        var change = Change()
        for (asset, amount) in amounts.sorted(by: { $0.key.code < $1.key.code }) where amount > 0 {
            let amount = min(amount, Money.limit - 1)
            guard let earlier = known.first(where: { $0.asset == asset }) else {
                let hold = Hold(intent: intent, user: user, asset: asset, amount: amount, reservation: ids.next())
                change.commands.append(try await claim(hold))
                change.rows.append(NewIntentHoldRow(hold: hold, chain: chain))
                continue
            }
            var dearest = earlier
            dearest.amount = max(amount, earlier.amount)
            change = change + (try await raised(earlier, to: dearest))
        }
        return change
    }

    // MARK: Following the chain

    /// What users' open intents hold, the oldest first.
    func open(of users: Set<ID<User>>) async throws -> [ID<User>: [Hold]] {
        guard !users.isEmpty else { return [:] }
        let found = try await find("h.user_id = any(\(users.sorted())) and h.chain = \(chain)")
        return Dictionary(grouping: found, by: \.user)
    }

    /// What ends of holds with a reading of their wallet: those of transactions that a block has by then, as stored
    /// before or among `moved`, and of those that are over.
    func past(_ holds: [Hold], moved: Set<ID<Intent>>) async throws -> [LedgerCommand] {
        var commands: [LedgerCommand] = []
        for hold in holds where hold.held > 0 && (hold.isPast || moved.contains(hold.intent)) {
            commands.append(.letGo(hold.reservation, of: try await account(of: hold), reason: "in_block"))
        }
        return commands
    }

    /// What holds more of what is still to leave, where a wallet has `balances` now.
    func topping(_ holds: [Hold], moved: Set<ID<Intent>>, upTo balances: [Asset: Int128]) async throws -> Change {
        let waiting = holds.filter { !$0.isPast && !moved.contains($0.intent) }
        var change = Change()
        for hold in waiting where hold.held < hold.amount {
            let all = waiting.reduce(0) { $0 + ($1.asset == hold.asset ? $1.held : 0) }
            guard let balance = balances[hold.asset], balance > all else { continue }
            change = change + (try await raised(hold, to: hold))
        }
        return change
    }

    // MARK: Ending

    /// What ends an intent's holds; others that could still take its place don't any more.
    func ending(_ intent: ID<Intent>, because reason: String) async throws -> Change {
        var change = Change()
        for hold in try await find("h.intent = \(intent)") {
            change.commands.append(.letGo(hold.reservation, of: try await account(of: hold), reason: reason))
            change.rows.append(EndedIntentHoldRow(hold: hold))
        }
        return change
    }

    // MARK: Details

    private func raised(_ old: Hold, to wanted: Hold) async throws -> Change {
        var new = wanted
        if old.hasEnded { new.reservation = ids.next() }
        var change = Change(commands: [try await claim(new)])
        if new != old { change.rows.append(ChangedIntentHoldRow(old: old, new: new)) }
        return change
    }

    private func claim(_ hold: Hold) async throws -> LedgerCommand {
        .claim(
            NewReservation(
                id: hold.reservation,
                account: try await account(of: hold),
                amount: hold.amount,
                kind: Self.kind,
                // It ends with its intent, which has an end of its own.
                lifetime: .unlimited
            )
        )
    }

    private func account(of hold: Hold) async throws -> ID<LedgerAccount> {
        try await accounts.open(WalletBooks.account(hold.user, chain, hold.asset))
    }

    private func find(_ condition: SQL) async throws -> [Hold] {
        try await pool.query(
            """
            select h.intent, h.user_id, h.asset, h.amount, h.reservation,
                case when r.state = 'active' then r.amount - r.captured else 0 end as held,
                coalesce(r.state <> 'active', false) as has_ended,
                coalesce(f.is_past, true) as is_past
            from \(schema).intent_holds h
            left join \(schema).reservations r on r.id = h.reservation
            left join lateral (
                select bool_or(state in ('included', 'displaced', 'final', 'failed'))
                    or bool_and(state in ('replaced', 'expired')) as is_past
                from (
                    select state from \(schema).intents where id = h.intent or replaces = h.intent
                    union all
                    select state from \(schema).payments where id = h.intent or replaces = h.intent) m) f on true
            where \(condition) order by h.intent, h.asset
            """
        ).compactMap { row in
            guard let asset = Asset(code: try row["asset"]) else { return nil }
            return Hold(
                intent: try row["intent"],
                user: try row["user_id"],
                asset: asset,
                amount: try row["amount"],
                reservation: try row["reservation"],
                held: try row["held"],
                hasEnded: try row["has_ended"],
                isPast: try row["is_past"]
            )
        }
    }
}

/// What a new intent may take of an asset, and what holds it.
struct NewIntentHoldRow: StoredRow {
    let hold: IntentHolds.Hold
    /// CAIP-2.
    let chain: String

    static func store(_ rows: [NewIntentHoldRow], in schema: Schema, at: Timestamp) -> [SQL] {
        let holds = rows.map(\.hold)
        return [
            """
            insert into \(schema).intent_holds (intent, asset, user_id, chain, amount, reservation)
            select * from unnest(\(holds.map(\.intent)), \(holds.map(\.asset.code)), \(holds.map(\.user)),
                \(rows.map(\.chain)), \(holds.map(\.amount)), \(holds.map(\.reservation)))
            """
        ]
    }

    static var mustTouchEachRow: Bool { false }
}

/// More that an intent may take, or another reservation that holds it; stored only on top of what it was made from.
struct ChangedIntentHoldRow: StoredRow {
    let old: IntentHolds.Hold
    let new: IntentHolds.Hold

    static func store(_ rows: [ChangedIntentHoldRow], in schema: Schema, at: Timestamp) -> [SQL] {
        let new = rows.map(\.new)
        return [
            """
            update \(schema).intent_holds h set amount = n.amount, reservation = n.reservation
            from unnest(\(new.map(\.intent)), \(new.map(\.asset.code)), \(new.map(\.amount)),
                \(new.map(\.reservation)), \(rows.map(\.old.reservation)), \(rows.map(\.old.amount)))
                as n(intent, asset, amount, reservation, reservation_before, amount_before)
            where h.intent = n.intent and h.asset = n.asset and h.reservation = n.reservation_before
                and h.amount = n.amount_before
            returning 1
            """
        ]
    }
}

/// That an intent holds nothing any more; what was changed meanwhile ends with the next reading of its wallet.
struct EndedIntentHoldRow: StoredRow {
    let hold: IntentHolds.Hold

    static func store(_ rows: [EndedIntentHoldRow], in schema: Schema, at: Timestamp) -> [SQL] {
        ["delete from \(schema).intent_holds where reservation = any(\(rows.map(\.hold.reservation)))"]
    }

    static var mustTouchEachRow: Bool { false }
}

import Kernel
import PostgreSQL

/// What an intent's events do to its strategy, as a row.
///
/// Nothing of it is read before: each is a difference, so that two intents of one strategy in one batch both count.
struct StrategyEffect: StoredRow {
    let strategy: ID<Strategy>
    var principal: Int128 = 0
    var pairPrincipal: Int128 = 0
    var pairBasis: Int128 = 0
    var withdrawn: Int128 = 0
    var pairWithdrawn: Int128 = 0
    var realized: Int128 = 0
    /// The status from now on; nil for no change.
    var status: Strategy.Status?

    static func store(_ rows: [StrategyEffect], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.map { row in
            """
            update \(schema).strategies s
            set principal = principal + \(row.principal), pair_principal = pair_principal + \(row.pairPrincipal),
                pair_basis = case
                    when \(row.pairPrincipal) >= 0 then pair_basis + \(row.pairBasis)
                    else pair_basis + div(pair_basis * \(row.pairPrincipal), pair_principal) end,
                withdrawn = withdrawn + \(row.withdrawn), realized = realized + \(row.realized),
                pair_withdrawn = pair_withdrawn + \(row.pairWithdrawn),
                pair_realized = pair_realized + \(row.pairWithdrawn) + least(\(row.pairPrincipal), 0),
                is_due = true,
                status = case
                    when \(row.status?.rawValue)::text is null or not s.is_numbered and exists (
                        select 1 from \(schema).strategies o
                        where o.wallet = s.wallet and o.offer = s.offer and o.id <> s.id and o.status <> 'stopped')
                    then s.status else \(row.status?.rawValue) end,
                version = version + 1, updated_at = \(instant)
            where id = \(row.strategy)
            returning 1
            """
        }
    }

    // Each is a statement of its own, so that the count of the last one says nothing of the others.
    static var mustTouchEachRow: Bool { false }

    /// The effect of an event on an intent's strategy, before the event is applied.
    static func rows(_ intent: Intent, _ event: IntentState.Event) -> [any StoredRow] {
        guard let strategy = intent.strategy, case .settled = event, case .included(let inclusion) = intent.state,
            inclusion.succeeded
        else { return [] }
        switch intent.kind {
        case .start:
            return [
                StrategyEffect(
                    strategy: strategy,
                    principal: inclusion.paid,
                    pairPrincipal: inclusion.pairPaid,
                    status: .active
                )
            ]
        case .exit, .harvest:
            let isExit = intent.kind == .exit
            let harvest: [any StoredRow] = isExit ? [] : [NewHarvestRow(intent: intent.id, strategy: strategy)]
            return harvest + [
                StrategyEffect(
                    strategy: strategy,
                    principal: -intent.principal,
                    pairPrincipal: isExit ? -intent.pairAmount : 0,
                    withdrawn: inclusion.received,
                    pairWithdrawn: inclusion.pairReceived,
                    realized: inclusion.received - intent.principal
                )
            ]
        case .transfer, .approve, .cancel: return []
        }
    }
}

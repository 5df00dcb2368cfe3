import Kernel
import PostgreSQL

/// What an intent's events do to its strategy, as a row.
///
/// Nothing of it is read before: each is a difference, so that two intents of one strategy in one batch both count.
struct StrategyEffect: StoredRow {
    let strategy: ID<Strategy>
    var principal: Int128 = 0
    var pairPrincipal: Int128 = 0
    var withdrawn: Int128 = 0
    var realized: Int128 = 0
    /// The status from now on; nil for no change.
    var status: Strategy.Status?

    static func store(_ rows: [StrategyEffect], in schema: Schema, at instant: Timestamp) -> [SQL] {
        rows.map { row in
            """
            update \(schema).strategies
            set principal = principal + \(row.principal), pair_principal = pair_principal + \(row.pairPrincipal),
                withdrawn = withdrawn + \(row.withdrawn), realized = realized + \(row.realized),
                status = coalesce(\(row.status?.rawValue), status), version = version + 1, updated_at = \(instant)
            where id = \(row.strategy)
            returning 1
            """
        }
    }

    // Each is a statement of its own, so that the count of the last one says nothing of the others.
    static var mustTouchEachRow: Bool { false }

    /// The effect of an event on an intent's strategy, before the event is applied.
    static func rows(_ intent: Intent, _ event: IntentState.Event) -> [any StoredRow] {
        guard let strategy = intent.strategy else { return [] }
        switch (event, intent.kind) {
        case (.settled, .start):
            guard case .included(let inclusion) = intent.state, inclusion.succeeded else { return [] }
            let effect = StrategyEffect(
                strategy: strategy,
                principal: intent.amount.minorUnits,
                pairPrincipal: intent.pairAmount,
                status: .active
            )
            return [effect]
        case (.settled, .exit), (.settled, .harvest):
            guard case .included(let inclusion) = intent.state, inclusion.succeeded else { return [] }
            return [
                StrategyEffect(
                    strategy: strategy,
                    principal: -intent.principal,
                    withdrawn: inclusion.received,
                    realized: inclusion.received - intent.principal
                )
            ]
        default: return []
        }
    }
}

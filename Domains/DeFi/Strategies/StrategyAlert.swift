import Kernel
import Messaging

/// What tells a user of what a rule decided; each alert is an aggregate of its own, with one event.
enum StrategyAlert {
    static func event(
        _ rule: String,
        _ strategy: Strategy,
        outcome: String,
        facts: JSON,
        intent: ID<Intent>?,
        _ ids: IDGenerator
    ) -> OutboxEvent {
        let alert: ID<DecisionRow> = ids.next()
        return OutboxEvent(
            id: ids.next(),
            aggregateType: "strategy_alert",
            aggregate: alert,
            version: 1,
            type: "defi.strategy.alert",
            payload: [
                "strategy": .string(strategy.id.wire), "user": .string(strategy.user.wire), "rule": .string(rule),
                "outcome": .string(outcome), "facts": facts,
                "intent": intent.map { .string($0.wire) } ?? .null,
            ]
        )
    }
}

import Kernel
import Messaging
import PostgreSQL

/// A rule's row.
struct RiskRuleRow: StoredRow {
    let rule: RiskRule
    let parameters: JSON
    let description: String

    static func store(_ rows: [RiskRuleRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).risk_rules (id, name, type, account, market, parameters, description, created_at,
                updated_at)
            select n.*, \(instant), \(instant)
            from unnest(\(rows.map(\.rule.id)), \(rows.map(\.rule.name)), \(rows.map(\.rule.type)),
                \(rows.map(\.rule.account)), \(rows.map(\.rule.market)), \(rows.map(\.parameters)),
                \(rows.map(\.description))) as n
            returning 1
            """
        ]
    }
}

/// A rule that is no longer in force.
struct RiskRuleEndRow: StoredRow {
    let rule: ID<RiskRule>

    static func store(_ rows: [RiskRuleEndRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).risk_rules set is_active = false, updated_at = \(instant)
            where id = any(\(rows.map(\.rule))) and is_active
            returning 1
            """
        ]
    }
}

extension RiskRule {
    /// The rules in force, by their ids.
    static func active(in schema: Schema) -> SQL {
        "select id, name, type, account, market, parameters from \(schema).risk_rules where is_active order by id"
    }

    static func read(_ row: Row) throws -> RiskRule {
        RiskRule(
            id: try row["id"],
            name: try row["name"],
            account: try row["account"],
            market: try row["market"],
            limit: try Limit(try row["type"], try row["parameters"])
        )
    }
}

/// Something that somebody should look at.
struct RiskFinding: Sendable, Hashable {
    enum Level: String, Sendable, CaseIterable {
        case low = "LOW"
        case medium = "MEDIUM"
        case high = "HIGH"
        case critical = "CRITICAL"
    }

    /// What was seen: `refused`, `wash_trade`, `spoofing`, `layering`.
    let type: String
    let level: Level
    let account: ID<TradingAccount>
    let rule: ID<RiskRule>?
    let details: JSON
}

/// A finding's row: open until an operator resolves it.
struct RiskEventRow: StoredRow, Entity {
    static let idPrefix = "risk"

    let id: ID<RiskEventRow>
    let finding: RiskFinding

    static func store(_ rows: [RiskEventRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).risk_events (id, account, rule, type, level, details, created_at)
            select n.*, \(instant)
            from unnest(\(rows.map(\.id)), \(rows.map(\.finding.account)), \(rows.map(\.finding.rule)),
                \(rows.map(\.finding.type)), \(rows.map(\.finding.level.rawValue)),
                \(rows.map(\.finding.details))) as n
            returning 1
            """
        ]
    }

    /// The finding with the event that tells of it.
    static func rows(_ finding: RiskFinding, _ ids: IDGenerator) -> [any StoredRow] {
        let row = RiskEventRow(id: ids.next(), finding: finding)
        let event = OutboxEvent(
            id: ids.next(),
            aggregateType: "risk_event",
            aggregate: row.id,
            version: 1,
            type: "investing.risk.found",
            payload: [
                "id": .string(row.id.wire), "type": .string(finding.type), "level": .string(finding.level.rawValue),
                "account": .string(finding.account.wire), "details": finding.details,
            ]
        )
        return [row, event]
    }
}

/// A finding that somebody looked at.
struct RiskResolutionRow: StoredRow {
    let event: ID<RiskEventRow>
    let reason: String
    let actor: String

    static func store(_ rows: [RiskResolutionRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).risk_events e
            set status = 'resolved', resolution = n.reason, resolved_by = n.actor, resolved_at = \(instant)
            from unnest(\(rows.map(\.event)), \(rows.map(\.reason)), \(rows.map(\.actor))) as n(id, reason, actor)
            where e.id = n.id and e.status = 'open'
            returning 1
            """
        ]
    }
}

/// An account whose orders end unless it says in time that it is still there.
struct CancelDeadlineRow: StoredRow {
    let account: ID<TradingAccount>
    /// Nil: no longer.
    let cancelAt: Timestamp?

    static var mustTouchEachRow: Bool { false }

    static func store(_ rows: [CancelDeadlineRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        // The last one of each account counts: a batch may have several.
        let last = Dictionary(rows.map { ($0.account, $0) }) { $1 }.values
        let (set, gone) = (last.filter { $0.cancelAt != nil }, last.filter { $0.cancelAt == nil })
        return [
            """
            insert into \(schema).cancel_deadlines (account, cancel_at)
            select * from unnest(\(set.map(\.account)), \(set.map(\.cancelAt)))
            on conflict (account) do update set cancel_at = excluded.cancel_at
            """,
            "delete from \(schema).cancel_deadlines where account = any(\(gone.map(\.account)))",
        ]
    }
}

import Audit
import DomainKit
public import Kernel
import Ledger
import Messaging
import PostgreSQL

// Rules, kill switches and findings.
extension InvestingOperations {
    /// The rules in force.
    public func rules() async throws -> [JSON] {
        let rows = try await runtime.pool.query(
            """
            select r.id, r.name, r.type, r.account, m.symbol, r.parameters, r.description, r.created_at
            from \(runtime.schema).risk_rules r left join \(runtime.schema).markets m on m.id = r.market
            where r.is_active order by r.id limit \(InvestingOperations.listMax)
            """
        )
        return try rows.map { row in
            let (id, account): (ID<RiskRule>, ID<TradingAccount>?) = (try row["id"], try row["account"])
            let (name, type, symbol): (String, String, String?) = (
                try row["name"], try row["type"], try row["symbol"]
            )
            let (reason, at): (String, Timestamp) = (try row["description"], try row["created_at"])
            return [
                "id": .string(id.wire), "name": .string(name), "type": .string(type),
                "account": account.map { .string($0.wire) } ?? .null, "market": symbol.map { .string($0) } ?? .null,
                "parameters": try row["parameters"], "reason": .string(reason), "created_at": .string(at.description),
            ]
        }
    }

    /// Puts a rule into force: `name`, `type`, `parameters`, and as needed `account`, `symbol` and `reason`.
    ///
    /// - Throws: 422 that says what is wrong, 404 `market_not_found`.
    public func setRule(_ description: JSON, by operator: String) async throws -> JSON {
        try await ask(.setRule, description, by: `operator`)
    }

    /// Ends a rule by its id as `rule`, or kill switches of an `account`, a `symbol`, or of everybody.
    ///
    /// - Throws: 404 `rule_not_found`.
    public func endRules(_ description: JSON, by operator: String) async throws -> JSON {
        try await ask(.endRules, description, by: `operator`)
    }

    /// Findings, newest first.
    public func findings(includingResolved: Bool, limit: Int) async throws -> [JSON] {
        let rows = try await runtime.pool.query(
            """
            select id, account, type, level, details, status, resolution, created_at
            from \(runtime.schema).risk_events where \(includingResolved) or status = 'open'
            order by id desc limit \(min(limit, InvestingOperations.listMax))
            """
        )
        return try rows.map { row in
            let (id, account): (ID<RiskEventRow>, ID<TradingAccount>) = (try row["id"], try row["account"])
            let (type, level, status): (String, String, String) = (
                try row["type"], try row["level"], try row["status"]
            )
            let (resolution, at): (String?, Timestamp) = (try row["resolution"], try row["created_at"])
            return [
                "id": .string(id.wire), "account": .string(account.wire), "type": .string(type),
                "level": .string(level), "status": .string(status), "details": try row["details"],
                "resolution": resolution.map { .string($0) } ?? .null, "created_at": .string(at.description),
            ]
        }
    }

    /// Resolves a finding with what was found out.
    ///
    /// - Throws: 404 for none that is open.
    public func resolve(_ finding: String, because reason: String, by operator: String) async throws {
        guard let id = ID<RiskEventRow>(wire: finding) else { throw Problem.noFinding }
        let (audit, event): (ID<AuditEntry>, ID<OutboxEvent>) = (ids.next(), ids.next())
        let entry = AuditEntry(
            id: audit,
            actor: "operator:\(`operator`)",
            action: "risk.resolved",
            entity: "risk_event",
            entityID: id.value,
            after: ["reason": .string(reason)]
        )
        let told = OutboxEvent(
            id: event,
            aggregateType: "risk_event",
            aggregate: id,
            version: 2,
            type: "investing.risk.resolved",
            payload: ["id": .string(id.wire), "reason": .string(reason)]
        )
        let row = RiskResolutionRow(event: id, reason: reason, actor: `operator`)
        let item = LedgerItem(operation: ids.next(), commands: []) { _, _ in
            LedgerItem.Finish(rows: [row, entry, told])
        }
        do {
            _ = try await runtime.ledger.submit(batch: [item])
        } catch let error as PostgresError where error.isStale {
            throw Problem.noFinding
        }
    }
}

extension Problem {
    /// 404 for a finding that isn't open, or isn't.
    fileprivate static let noFinding = Problem(404, "finding_not_found", "There is no such finding that is open.")
}

import Kernel
import Messaging
import PostgreSQL

/// Puts what a domain's events say into the projections, with the event's mark, many events to a transaction.
struct ProjectionHandler: InboxHandler {
    let domain: String
    let store: GroupCommit<ProjectionStore>

    func attemptsMax(for type: String) -> Int { Self.moneyAttemptsMax }

    func handle(_ event: InboxEvent) async throws -> InboxDisposition {
        var rows: [any StoredRow] = []
        do {
            let cloud = try CloudEvent(json: try JSON.parse(event.body))
            rows += try ProjectedBalance.read(cloud.data, domain: domain)
            if cloud.aggregateType == "transaction" || TransactionFact.isPayout(cloud.data, of: cloud.aggregateType) {
                guard let id = ID<User>(uuid: cloud.subject) else { return .dead("a transaction without a UUID") }
                rows.append(
                    try TransactionFact(
                        cloud.data,
                        id: id.value,
                        version: cloud.sequence,
                        at: cloud.time,
                        domain: domain
                    )
                )
            }
        } catch {
            return .dead("\(error)")
        }
        guard !rows.isEmpty else { return .ignored("nothing to project") }
        _ = try await store.submit(rows + [event.mark])
        return .processed
    }
}

/// Stores the rows of many events in one transaction, and answers with how many rows each had.
struct ProjectionStore: BatchCommitter {
    let pool: Pool
    let schema: Schema

    func commit(_ items: [[any StoredRow]]) async throws -> [Int] {
        let rows = items.flatMap(\.self)
        try await pool.transact { transaction in
            let now: Timestamp = try await transaction.query("select clock_timestamp()")[0][0]
            return Closing((), last: rows.statements(in: schema, at: now))
        }
        return items.map(\.count)
    }
}

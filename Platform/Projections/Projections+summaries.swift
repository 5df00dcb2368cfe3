import Kernel
import PostgreSQL

extension Projections {
    /// Refreshes summaries; their readers aren't held up.
    ///
    /// - Returns: those that were refreshed; one that somebody else is refreshing is left out.
    @discardableResult
    public func refresh(_ summaries: [Summary] = Summary.allCases) async throws -> [Summary] {
        var refreshed: [Summary] = []
        for summary in summaries {
            let isDone: Bool = try await pool.withTransaction { transaction in
                _ = try await transaction.query("set local statement_timeout to 0")
                return try await transaction.query("select \(schema).refresh_summary(\(summary.rawValue))")[0][0]
            }
            if isDone { refreshed.append(summary) }
        }
        return refreshed
    }

    /// How old the summaries are.
    public func summaries() async throws -> [SummaryStatus] {
        let rows = try await pool.query(
            """
            select n.name, r.refreshed_at, r.seconds,
                extract(epoch from clock_timestamp() - r.refreshed_at)::double precision as age
            from unnest(\(Summary.allCases.map(\.rawValue))) with ordinality as n(name, place)
            left join \(schema).summary_refreshes r on r.summary = n.name
            order by n.place
            """
        )
        return try zip(Summary.allCases, rows).map { summary, row in
            SummaryStatus(
                summary: summary,
                refreshedAt: try row["refreshed_at"],
                ageSeconds: try row["age"],
                seconds: try row["seconds"]
            )
        }
    }
}

import BenchServers
import Foundation
import PostgreSQL

/// Processor time, which a busy machine changes less than the clock's.
enum Processor {
    /// Seconds that this process has used so far, and the server's sessions that it has open.
    ///
    /// A server on another machine counts as nothing.
    static func seconds(of venue: Venue) async throws -> (own: Double, server: Double) {
        let rows = try await venue.server.withLogin { connection in
            try await connection.query(
                """
                select pid from pg_stat_activity
                where datname = current_database() and application_name = 'trading-bench' and usesysid is not null
                """
            )
        }
        let sessions = try rows.map { row in try row[0] as Int }
        return (seconds(process: "self"), sessions.reduce(0) { $0 + seconds(process: String($1)) })
    }

    /// User and system time of `/proc/PID/stat` (proc(5): numbers 14 and 15, in ticks), 0 without such a process.
    private static func seconds(process: String) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        // The second field is a name in parentheses, which may hold anything.
        guard let end = text.lastIndex(of: ")") else { return 0 }
        let fields = text[end...].split(separator: " ").dropFirst()
        let ticks = fields.dropFirst(11).prefix(2).reduce(0) { $0 + (Double($1) ?? 0) }
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

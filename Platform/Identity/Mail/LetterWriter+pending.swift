import Kernel
import Logging
import Messaging
import Metrics
import PostgreSQL

extension LetterWriter {
    /// Seconds between two looks for letters that are due.
    static let pollSeconds = 30
    /// Letters of one transaction.
    static let pendingMax = 10
    /// Attempts after which a letter is given up: one to two days.
    static let attemptsMax = 20

    /// Hands over the letters that are due, each once, until the task is cancelled.
    func writePendingLetters() async {
        while !Task.isCancelled {
            do {
                while try await writePending() > 0 {}
            } catch {
                logger.warning("letters could not be looked for", metadata: ["error": "\(String(reflecting: error))"])
            }
            try? await Task.sleep(for: .seconds(LetterWriter.pollSeconds))
        }
    }

    /// Hands over the next letters that are due, or puts them off; how many there were.
    ///
    /// Their rows are locked meanwhile, so that other processes pass them over. Where the process dies between the
    /// handing over and the commit, a letter is written twice rather than never.
    func writePending() async throws -> Int {
        let now = services.clock.now()
        return try await services.pool.transact { transaction in
            let rows = try await transaction.query(
                """
                select id, user_id, kind, expires_at, attempts from platform.pending_letters
                where due_at <= \(now) order by due_at limit \(LetterWriter.pendingMax) for update skip locked
                """
            )
            var statements: [SQL] = []
            for row in rows { statements.append(try await handOver(row, at: now)) }
            return Closing(rows.count, last: statements)
        }
    }

    /// Hands one over; the statement that keeps what came of it.
    private func handOver(_ row: Row, at now: Timestamp) async throws -> SQL {
        let (id, user, attempts): (ID<PendingLetterRow>, ID<User>, Int) = (try row[0], try row[1], try row[4])
        let done: SQL = "delete from platform.pending_letters where id = \(id)"
        // Whoever is no customer any more isn't written to.
        guard let record = try await services.users.find(user), record.status != .closed else { return done }
        let letter = PendingLetter(try row[2], expiresAt: try row[3])
        do {
            try await transport.deliver(letter.mail(to: record))
            return done
        } catch {
            failures.increment()
            let isOver = attempts + 1 >= LetterWriter.attemptsMax
            logger.log(
                level: isOver ? .error : .warning,
                isOver ? "a letter was given up" : "a letter could not be sent; it is tried again",
                metadata: ["letter": "\(id)", "error": "\(String(reflecting: error))"]
            )
            guard !isOver else { return done }
            var random = SystemRandomNumberGenerator()
            let delay = RetrySchedule.standard.delaySeconds(afterAttempt: attempts + 1, using: &random)
            return """
                update platform.pending_letters
                set attempts = attempts + 1, due_at = \(now.adding(seconds: Int64(delay))) where id = \(id)
                """
        }
    }
}

import Kernel
import Logging
import Metrics
import PostgreSQL
import Synchronization

/// Rows that can't be read as what they are: each is left out and told of, so that it holds up nothing but itself.
///
/// It stays as it is, and is found again as soon as it can be read.
final class UnreadableRows: Sendable {
    /// Seconds until operators are told of a row again.
    static let againSeconds = 60
    /// Rows that are remembered to have been told of.
    private static let toldMax = 1_000

    private let kind: String
    private let chain: String
    private let logger: Logger
    private let told = Mutex<[UInt128: ContinuousClock.Instant]>([:])

    /// Of a kind of rows of a chain: `payment`, `deposit`.
    init(_ kind: String, on chain: String, logger: Logger) {
        (self.kind, self.chain, self.logger) = (kind, chain, logger)
    }

    /// What rows say, by their `id`; nothing of one that can't be read.
    ///
    /// - Throws: a `DecodingFailure` where there is no id.
    func readable<Value>(
        _ rows: Rows,
        _ read: (Row) throws -> Value
    ) throws -> (values: [Value], leftOut: [UInt128]) {
        var (values, leftOut): ([Value], [UInt128]) = ([], [])
        for row in rows {
            let id: UInt128 = try row["id"]
            do {
                values.append(try read(row))
            } catch {
                leftOut.append(id)
                tell(id, error)
            }
        }
        return (values, leftOut)
    }

    private func tell(_ id: UInt128, _ error: any Error) {
        let now = ContinuousClock.now
        let isTold = told.withLock { told in
            if let last = told[id], now - last < .seconds(Self.againSeconds) { return true }
            if told.count >= Self.toldMax { told.removeAll() }
            told[id] = now
            return false
        }
        guard !isTold else { return }
        Counter(label: "chain_unreadable_total", dimensions: [("chain", chain), ("kind", kind)]).increment()
        logger.error(
            "a row can't be read and waits; an operator must look",
            metadata: ["chain": "\(chain)", "kind": "\(kind)", "id": "\(ID<Intent>(id))", "error": "\(error)"]
        )
    }
}

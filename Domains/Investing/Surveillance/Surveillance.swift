import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL
import ServiceLifecycle

/// What the indicators see in the stream of committed batches, with bounded memory.
///
/// The same kind of finding about the same account is told once an hour.
struct Indicators: Sendable {
    static let pause: Int64 = 3_600_000_000
    /// Findings that are remembered as told; beyond it the memory is emptied.
    static let toldMax = 20_000

    private struct Told: Hashable {
        let account: ID<TradingAccount>
        let type: String
    }

    private var washTrades = WashTrades()
    private var pulledOrders = PulledOrders()
    private var told: [Told: Int64] = [:]

    /// Looks at the next batch.
    mutating func see(_ batch: SeenBatch) -> [RiskFinding] {
        let users = Dictionary(batch.orders.map { ($0.account, $0.user) }) { first, _ in first }
        let found = batch.trades.compactMap { washTrades.see($0, at: batch.at, users: users) } + pulledOrders.see(batch)
        return found.filter { finding in
            let key = Told(account: finding.account, type: finding.type)
            if let last = told[key], batch.at - last < Indicators.pause { return false }
            if told.count >= Indicators.toldMax { told = [:] }
            told[key] = batch.at
            return true
        }
    }
}

/// Watches what was committed and stores findings; trading never waits for it.
final class Surveillance: Service {
    /// Batches that may wait; beyond it the oldest are left out, and counted.
    private static let waitingMax = 4_096

    private let ledger: Ledger
    private let ids: IDGenerator
    private let logger: Logger
    private let (batches, waiting) = AsyncStream.makeStream(
        of: SeenBatch.self,
        bufferingPolicy: .bufferingNewest(Surveillance.waitingMax)
    )
    private let dropped = Counter(label: "investing_surveillance_dropped_total")

    init(ledger: Ledger, ids: IDGenerator, logger: Logger) {
        (self.ledger, self.ids, self.logger) = (ledger, ids, logger)
    }

    /// Takes a committed batch in; never waits.
    func see(_ batch: SeenBatch) {
        if case .dropped = waiting.yield(batch) { dropped.increment() }
    }

    /// Looks at what comes in, until shutdown.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            var indicators = Indicators()
            for await batch in self.batches {
                for finding in indicators.see(batch) { await self.store(finding) }
            }
        }
    }

    private func store(_ finding: RiskFinding) async {
        let rows = RiskEventRow.rows(finding, ids)
        let item = LedgerItem(operation: ids.next(), commands: []) { _, _ in LedgerItem.Finish(rows: rows) }
        do {
            _ = try await ledger.submit(batch: [item])
        } catch {
            logger.error(
                "a finding of surveillance could not be stored",
                metadata: [
                    "type": "\(finding.type)", "account": "\(finding.account)", "details": "\(finding.details)",
                    "error": "\(error)",
                ]
            )
        }
    }
}

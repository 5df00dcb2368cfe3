import DomainKit
import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL
import ServiceLifecycle

/// Checks that a ledger's assets add up to zero: metric `ledger_imbalance` by schema and asset, in minor units.
///
/// It reads every account's balance and nothing of the journal; `diboas ledger verify` proves the rest.
struct LedgerCheck: Service {
    let runtime: DomainRuntime
    let pauseSeconds: Int
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await check()
                } catch {
                    if Task.isCancelled { return }
                    logger.warning(
                        "the ledger was not checked",
                        metadata: ["schema": "\(runtime.schema)", "error": "\(error)"]
                    )
                }
                try? await Task.sleep(for: .seconds(pauseSeconds))
            }
        }
    }

    /// Records the sums, and complains of one that isn't zero.
    func check() async throws {
        for line in try await runtime.history.trialBalance() {
            let dimensions = [("schema", runtime.schema.name), ("asset", line.asset)]
            Gauge(label: "ledger_imbalance", dimensions: dimensions).record(Double(line.sum))
            guard line.sum != 0 else { continue }
            logger.critical(
                "the ledger does not add up",
                metadata: ["schema": "\(runtime.schema)", "asset": "\(line.asset)", "sum": "\(line.sum)"]
            )
        }
    }
}

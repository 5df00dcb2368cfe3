import Fees
import Logging
import PostgreSQL
import ServiceLifecycle

/// Has the fee schedules read again when one was published or closed anywhere.
struct FeeScheduleListener: Service {
    let options: ConnectionOptions
    let fees: FeeCatalogCache
    let logger: Logger

    func run() async throws {
        let listener = Listener(options, channels: [FeeCatalogCache.channel], logger: logger)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await listener.run() }
                // A reconnection may have missed a notification, so everything that arrives counts as one.
                for await _ in listener.events { fees.invalidate() }
                group.cancelAll()
            }
        }
    }
}

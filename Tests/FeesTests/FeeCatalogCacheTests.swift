import Fees
import Kernel
import Synchronization
import Testing

@Suite struct FeeCatalogCacheTests {
    private final class Source: Sendable {
        let reads = Mutex(0)
        let fails = Mutex(false)
        struct Away: Error {}

        func read() throws -> FeeCatalog {
            if fails.withLock({ $0 }) { throw Away() }
            reads.withLock { $0 += 1 }
            return try FeeCatalog(FeeSchedule.defaults)
        }
    }

    @Test func `the catalogue is read once until it is old or invalidated`() async throws {
        let (source, clock) = (Source(), ManualClock(Fixture.instant))
        let cache = FeeCatalogCache(clock: clock) { try source.read() }
        _ = try await cache.current()
        clock.advance(seconds: FeeCatalogCache.ageMaxSeconds - 1)
        _ = try await cache.current()
        #expect(source.reads.withLock { $0 } == 1)
        clock.advance(seconds: 1)
        _ = try await cache.current()
        #expect(source.reads.withLock { $0 } == 2)
        cache.invalidate()
        _ = try await cache.current()
        #expect(source.reads.withLock { $0 } == 3)
    }

    @Test func `an old catalogue is not answered when reading fails`() async throws {
        let (source, clock) = (Source(), ManualClock(Fixture.instant))
        let cache = FeeCatalogCache(clock: clock) { try source.read() }
        _ = try await cache.current()
        cache.invalidate()
        source.fails.withLock { $0 = true }
        await #expect(throws: Source.Away.self) { try await cache.current() }
    }

    @Test func `what was read before an invalidation is not kept`() async throws {
        let (source, clock) = (Source(), ManualClock(Fixture.instant))
        let holder = Mutex<FeeCatalogCache?>(nil)
        let cache = FeeCatalogCache(clock: clock) {
            let catalog = try source.read()
            if source.reads.withLock({ $0 }) == 1 { holder.withLock { $0?.invalidate() } }
            return catalog
        }
        holder.withLock { $0 = cache }
        _ = try await cache.current()
        _ = try await cache.current()
        #expect(source.reads.withLock { $0 } == 2)
    }
}

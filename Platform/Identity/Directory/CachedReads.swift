import Kernel

/// Reads by key that may be a few seconds old: a cache in front of gathered queries.
final class CachedReads<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let cache: AgingCache<Key, Value>
    private let reads: GatheredReads<Key, Value>
    private let ageMaxSeconds: Int64
    private let clock: any WallClock
    private let readAt: @Sendable (Value) -> Timestamp?

    /// Reads through `read`; what there isn't is not remembered.
    ///
    /// A value's age counts from `readAt`, where that says something, else from when it was asked for.
    init(
        entriesMax: Int,
        ageMaxSeconds: Int64,
        clock: any WallClock,
        readAt: @escaping @Sendable (Value) -> Timestamp? = { _ in nil },
        read: @escaping @Sendable ([Key]) async throws -> [Key: Value]
    ) {
        cache = AgingCache(entriesMax: entriesMax)
        reads = GatheredReads(read)
        (self.ageMaxSeconds, self.clock, self.readAt) = (ageMaxSeconds, clock, readAt)
    }

    /// The value of a key, at most `ageMaxSeconds` old; nil when there is none.
    func value(for key: Key) async throws -> Value? {
        let now = clock.now()
        if let value = cache.value(for: key, at: now) { return value }
        let mark = cache.mark()
        guard let value = try await reads.value(for: key) else { return nil }
        let until = (readAt(value) ?? now).adding(seconds: ageMaxSeconds)
        cache.insert(value, for: key, from: now, until: until, readAt: mark)
        return value
    }

    /// Has all next callers read anew.
    func forgetAll() { cache.removeAll() }

    /// Has the next callers read anew.
    func forget(_ keys: some Sequence<Key>) { cache.remove(keys) }
}

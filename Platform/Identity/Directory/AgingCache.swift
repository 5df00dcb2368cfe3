import Kernel
import Synchronization

/// What was read a short while ago, in memory: bounded in number and, entry by entry, in age.
///
/// It keeps two generations. When the young one is full it becomes the old one, and the old one is forgotten, so that
/// nothing has to be searched for what is oldest.
final class AgingCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        let value: Value
        let from: Timestamp
        let until: Timestamp
    }

    private struct State {
        var young: [Key: Entry] = [:]
        var old: [Key: Entry] = [:]
        var removals: UInt64 = 0
    }

    /// Something that was read while this many removals had been made.
    struct Mark: Sendable, Hashable {
        fileprivate let removals: UInt64
    }

    private let entriesMax: Int
    private let state = Mutex(State())

    /// A cache of at most `entriesMax` entries, 2 or more.
    init(entriesMax: Int) {
        precondition(entriesMax >= 2, "a cache for less than two entries")
        self.entriesMax = entriesMax
    }

    /// An entry that is there and counts at that instant; nil for none.
    func value(for key: Key, at now: Timestamp) -> Value? {
        let entry = state.withLock { $0.young[key] ?? $0.old[key] }
        // A clock that was set back must not make an entry live longer.
        guard let entry, entry.from <= now, now < entry.until else { return nil }
        return entry.value
    }

    /// To be asked for before reading what will be inserted.
    func mark() -> Mark { state.withLock { Mark(removals: $0.removals) } }

    /// Keeps a value for the time from `now` until `until`, unless something was removed since the mark: what was read
    /// before a removal may be what the removal was about.
    func insert(_ value: Value, for key: Key, from now: Timestamp, until: Timestamp, readAt mark: Mark) {
        state.withLock { state in
            guard state.removals == mark.removals else { return }
            if state.young.count >= entriesMax / 2, state.young[key] == nil {
                state.old = state.young
                state.young = [:]
            }
            state.young[key] = Entry(value: value, from: now, until: until)
        }
    }

    /// Forgets entries; what is being read now isn't kept.
    func remove(_ keys: some Sequence<Key>) {
        state.withLock { state in
            state.removals += 1
            for key in keys {
                state.young[key] = nil
                state.old[key] = nil
            }
        }
    }

    /// Forgets everything; what is being read now isn't kept.
    func removeAll() {
        state.withLock { state in
            state.removals += 1
            (state.young, state.old) = ([:], [:])
        }
    }

    /// How many entries there are, those that are too old included.
    var count: Int { state.withLock { $0.young.count + $0.old.count } }
}

/// Events in the order in which they happened.
///
/// Several books may write to one; nothing is allocated once it has grown.
public final class EventLog {
    @usableFromInline
    struct Storage {
        @usableFromInline var first: UnsafeMutablePointer<Event>
        @usableFromInline var count: Int
        var capacity: Int

        @inline(__always)
        mutating func append(_ event: Event) {
            if count == capacity { grow() }
            (first + count).initialize(to: event)
            count &+= 1
        }

        @inline(never)
        private mutating func grow() {
            let larger = UnsafeMutablePointer<Event>.allocate(capacity: capacity * 2)
            larger.moveInitialize(from: first, count: count)
            first.deallocate()
            (first, capacity) = (larger, capacity * 2)
        }
    }

    @usableFromInline let storage: UnsafeMutablePointer<Storage>

    /// An empty log with room for some events.
    ///
    /// - Precondition: the capacity is positive.
    public init(capacity: Int = 4096) {
        precondition(capacity > 0)
        storage = .allocate(capacity: 1)
        storage.initialize(to: Storage(first: .allocate(capacity: capacity), count: 0, capacity: capacity))
    }

    deinit {
        storage.pointee.first.deallocate()
        storage.deallocate()
    }

    /// How many events there are.
    @inlinable public var count: Int { storage.pointee.count }

    /// The event at a position from 0, oldest first.
    ///
    /// - Precondition: the position is below `count`.
    @inlinable
    public subscript(position: Int) -> Event {
        precondition(position >= 0 && position < storage.pointee.count)
        return storage.pointee.first[position]
    }

    /// Forgets all events and keeps the room.
    @inlinable
    public func removeAll() { storage.pointee.count = 0 }
}

import DequeModule
import HTTP

/// The last publications of a channel, oldest first, within bounds; a value.
struct StreamRing {
    struct Entry {
        let sequence: ClosedRange<Int64>
        let message: WebSocketMessage
    }

    private let bounds: StreamFamily.Ring
    private var entries: Deque<Entry> = []
    private var bytes = 0
    /// The last number of all that was ever appended.
    private(set) var last: Int64 = 0

    init(_ bounds: StreamFamily.Ring) { self.bounds = bounds }

    /// Whoever has this number or a later one gets the rest without a gap.
    var floor: Int64 { entries.first.map { $0.sequence.lowerBound - 1 } ?? last }

    /// Whoever has this number lacks the newest publication only.
    var beforeLast: Int64 { entries.last.map { $0.sequence.lowerBound - 1 } ?? last }

    /// Appends what follows; the oldest make room.
    ///
    /// The newest is kept whatever its size.
    mutating func append(_ entry: Entry) {
        entries.append(entry)
        bytes += entry.message.byteCount
        last = entry.sequence.upperBound
        while entries.count > bounds.countMax || (bytes > bounds.bytesMax && entries.count > 1) {
            bytes -= entries.removeFirst().message.byteCount
        }
    }

    /// Puts publications without a gap before those that are here, as many of their last as there is room for; false
    /// where they don't join.
    mutating func prepend(_ earlier: [Entry]) -> Bool {
        var earlier = earlier
        if entries.isEmpty {
            guard let end = earlier.last?.sequence.upperBound, end >= last else { return false }
            last = end
        } else {
            let first = floor + 1
            earlier.removeAll { $0.sequence.upperBound >= first }
            guard earlier.last?.sequence.upperBound == first - 1 else { return false }
        }
        for entry in earlier.reversed() {
            guard entries.count < bounds.countMax, bytes + entry.message.byteCount <= bounds.bytesMax else { break }
            entries.prepend(entry)
            bytes += entry.message.byteCount
        }
        return true
    }

    /// Forgets all publications, as what comes next doesn't follow them.
    mutating func clear() {
        entries.removeAll()
        bytes = 0
    }

    /// Goes on behind a number; only where nothing is kept, as at the beginning of a run.
    mutating func skip(to sequence: Int64) {
        if entries.isEmpty { last = max(last, sequence) }
    }

    /// What comes after a number, at most so many.
    func entries(after sequence: Int64, countMax: Int) -> Deque<Entry>.SubSequence {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].sequence.upperBound <= sequence { low = middle + 1 } else { high = middle }
        }
        return entries[low..<min(low + countMax, entries.count)]
    }
}

import Foundation

/// The clock that operations are timed by.
enum Nanoseconds {
    /// Since some instant.
    @inline(__always)
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// What reading the clock adds to an interval: the median of empty ones.
    static func readingCost() -> UInt64 {
        var last = now
        let empty = (0..<10_001).map { _ in
            let time = now
            defer { last = time }
            return time &- last
        }
        return empty.sorted()[5_000]
    }
}

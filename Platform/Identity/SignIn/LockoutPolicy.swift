/// For how long failed sign-ins lock an e-mail address: not at all, then longer with each failure.
public struct LockoutPolicy: Sendable, Hashable {
    /// The failure that locks for the first time, 1 or more.
    public var failuresMax = 5
    /// The first lock, in seconds; each further failure doubles it.
    public var firstSeconds: Int64 = 30
    /// The longest lock, in seconds.
    public var longestSeconds: Int64 = 3_600
    /// After so many seconds without a try, failures are forgotten.
    public var forgetSeconds: Int64 = 86_400

    /// The standard policy: the fifth failure locks for 30 s, up to an hour, forgotten after a day.
    public init() {}

    /// How long that failure locks, in seconds; 1 is the first failure.
    public func lockSeconds(failure: Int) -> Int64 {
        guard failure >= failuresMax else { return 0 }
        // Doublings beyond these pass any `longestSeconds`.
        let doublings = min(failure - failuresMax, 30)
        return min(firstSeconds << Int64(doublings), longestSeconds)
    }

    /// `lockSeconds` of the first, second, … failure, up to the one from which on it stays the same.
    var table: [Int64] {
        var seconds: [Int64] = []
        for failure in 1...(failuresMax + 31) {
            seconds.append(lockSeconds(failure: failure))
            if seconds.last == longestSeconds { break }
        }
        return seconds
    }
}

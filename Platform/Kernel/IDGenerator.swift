import Synchronization

/// Mints UUIDv7 ids that never decrease within one generator (RFC 9562 §6.2, method 3: sub-millisecond time, then
/// counting up).
public final class IDGenerator: Sendable {
    private struct State {
        var last: UInt128 = 0
        var random: any RandomNumberGenerator & Sendable
    }

    private let clock: any WallClock
    private let state: Mutex<State>

    /// A generator on a clock and a source of randomness.
    public init(
        clock: any WallClock = SystemClock(),
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.clock = clock
        self.state = Mutex(State(random: random))
    }

    /// A new id.
    public func next<Of>(_: Of.Type = Of.self) -> ID<Of> {
        let now = clock.now()
        return state.withLock { state in
            var value = IDGenerator.layOut(now, random: state.random.next())
            if value <= state.last { value = IDGenerator.successor(state.last) }
            state.last = value
            return ID(value)
        }
    }

    // 48 bits of milliseconds, version 7, 12 bits of the millisecond's fraction, variant 10, 62 random bits.
    private static func layOut(_ now: Timestamp, random: UInt64) -> UInt128 {
        let milliseconds = UInt128(truncatingIfNeeded: now.milliseconds) & 0xFFFF_FFFF_FFFF
        let fraction = UInt128(truncatingIfNeeded: (now.microseconds - now.milliseconds * 1000) * 4096 / 1000)
        return milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | UInt128(random >> 2)
    }

    // Counts up in the random bits; their overflow (never seen) carries over the version and variant bits, set anew.
    private static func successor(_ value: UInt128) -> UInt128 {
        let low = value & 0x3FFF_FFFF_FFFF_FFFF
        if low < 0x3FFF_FFFF_FFFF_FFFF { return value + 1 }
        let fraction = (value >> 64) & 0xFFF
        let milliseconds = value >> 80
        let (nextMilliseconds, nextFraction) = fraction < 0xFFF ? (milliseconds, fraction + 1) : (milliseconds + 1, 0)
        return nextMilliseconds << 80 | 0x7 << 76 | nextFraction << 64 | 0b10 << 62
    }
}
